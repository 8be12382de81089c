"""The contrastive hinge error: additions and comparisons only (Tang, Yang, Amit 2022)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from neurosim.core.buffer import Buffer
from neurosim.core.options import Option
from neurosim.core.step import Step
from neurosim.kernels.comparison import hinge_all, hinge_lags
from neurosim.losses.base import Delta, Loss, Threshold, margins

if TYPE_CHECKING:
    from neurosim.parts.error_units import ViewErrorUnits


class Hinge(Loss):
    """Contrastive hinge: same images nearer than ``m+``, others farther than ``m-``, in L1 distance d.

    ``sum_i [d(z1_i, z2_i) - m+]_+ + w sum_{lag=1}^{K-1} sum_i [m- - d(z1_i, z2_{i+lag})]_+`` with a memory of K
    lags, or ``sum_i [d(z1_i, z2_i) - m+]_+ + sum_{i != k} [m- - d(z1_i, z2_k)]_+`` with all negatives of the batch.

    Parameters:
        =============== ================== =================================== =======
        name            unit               math                                default
        =============== ================== =================================== =======
        lags            moments            K: the positive and K - 1 negatives 5
        negative_weight 1                  w, of each negative of the memory   1/K
        threshold       activity x units   (m+ + m-) / 2                       2
        delta           activity x units   (m- - m+) / 2                       1
        =============== ================== =================================== =======

    Raises:
        WiringError: fewer than two lags, or margins below zero.
    """

    name = "hinge"
    summary = "contrastive hinge against a short-term memory or all negatives of the batch"

    def __init__(
        self,
        lags: Annotated[
            int | None,
            Option(
                "Moments of memory, the present one included; or all.",
                unit="moments",
                low=2,
                none="all",
                short="short-term memory",
            ),
        ] = 5,
        threshold: Threshold = 2.0,
        delta: Delta = 1.0,
        negative_weight: Annotated[
            float | None, Option("Weight of each remembered negative; published: 1/K.", low=0, none="1/K", needs="lags")
        ] = None,
    ) -> None:
        self.lags = lags
        self.negative_weight = 1 / lags if lags and negative_weight is None else negative_weight
        self.margins = margins(threshold, delta)

    def wire(self, units: ViewErrorUnits) -> Iterator[Step]:
        number, kernel = units.head.number, hinge_lags if self.lags else hinge_all
        arguments: dict[str, Buffer | None] = {"view2": units.view2, "index": units.index}
        scalars: dict[str, object] = dict(self.margins)
        if self.lags:
            assert units.memory is not None
            yield from units.memory.push(units.view1)
            arguments |= {"trace": units.memory.trace, "cursor": units.memory.cursor}
            scalars |= {"pairs": units.pairs, "lags": self.lags, "negative_weight": self.negative_weight}
            others = f"z{number}[1] of {self.lags - 1} lags"
        else:
            arguments["view1"] = units.view1
            others = f"z{number}[1] of all others"
        arguments |= {"error2": units.error2, "value": units.value, "error1": units.error1}
        too_far, too_near = f"+sign(z{number}[2] - z{number}[1])", f"-sign(z{number}[2] - {others})"
        equation = f"e = {too_far} where too far, {too_near} where too near"
        yield Step(kernel, f"error units {number} compare", equation, arguments, scalars=scalars, over="moment")
