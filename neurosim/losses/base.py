"""What every loss offers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from neurosim.core.kernel import Kernel
from neurosim.core.options import Declared, Option
from neurosim.core.plugins import misfit
from neurosim.core.step import Step

if TYPE_CHECKING:
    from neurosim.parts.error_units import ViewErrorUnits


Threshold = Annotated[float, Option("Middle of the two margins.", unit="activity x units", low=0)]
Delta = Annotated[float, Option("Half the distance of the margins.", unit="activity x units", low=0)]
Negatives = Annotated[int, Option("Random patches against each right one.", unit="patches", low=1)]
Grid = Annotated[int, Option("Rows and columns of patches in a picture.", unit="patches", low=3, derived=True)]


def margins(threshold: float, delta: float) -> dict[str, float]:
    """``m+ = threshold - delta`` and ``m- = threshold + delta`` as the hinge kernels take them.

    Raises:
        WiringError: a margin below zero, or not a finite number.
    """
    if not 0 <= delta <= threshold < math.inf:
        raise misfit(
            f"threshold={threshold:g} and delta={delta:g}",
            "0 <= delta <= threshold, so that no margin is negative",
            "change one of them",
            "",
        )
    return {"margin_positive": threshold - delta, "margin_negative": threshold + delta}


class Loss(Declared):
    """A comparison of two views.

    Attributes:
        name: as typed after ``--loss``.
        summary: one line for ``--help`` and ``explain``.
        patches: whether it compares the patches of one picture instead of two views.
        predicts: whether it has synapses of its own, which predict one patch's activity from another's.
        lags: K, how many moments the short-term memory must offer, the present one included; None: no memory.
        labels: whether it compares with the labels of the pictures: supervised.
        grid, negatives: of a loss of patches: G, rows and columns of patches, and random patches against each one ahead.
    """

    name = ""
    summary = ""
    patches = predicts = labels = False
    lags: int | None = None
    grid: int = 0
    negatives: int = 0

    def wire(self, units: Any) -> Iterator[Step]:
        """The steps that compare: they write the errors and the value of the error units.

        Args:
            units: the kind of `neurosim.parts.error_units.ErrorUnits` that the loss asks for by `patches` and `predicts`.
        """
        raise TypeError(f"{type(self).__name__} does not say how it is wired")

    def together(
        self, units: ViewErrorUnits, kernel: Kernel, equation: str, scalars: Mapping[str, object] | None = None
    ) -> Iterator[Step]:
        """One step of a kernel that compares all views of the batch at once.

        Under the gradient block there is no error of view 1, and the kernel does not compute one.
        """
        yield Step(
            kernel,
            f"error units {units.head.number} compare",
            equation,
            {
                "view1": units.view1,
                "view2": units.view2,
                "error1": units.error1,
                "error2": units.error2,
                "value": units.value,
            },
            scalars=scalars or {},
        )
