"""The stimulus: from pictures to the activity of the image population, deformed or as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from neurosim.core import tuning
from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.kernels.views import present
from neurosim.parts.population import AXES, Image

if TYPE_CHECKING:
    from neurosim.core.arguments import Argument
    from neurosim.core.kernel import Kernel
    from neurosim.core.typing import Array


class Deforms(Protocol):
    """What a stimulus asks of a deformation; `neurosim.data.views.base.Deformation` has it."""

    @property
    def kernel(self) -> Kernel:
        """Of the effect: ``image`` and ``out``, and what differs from view to view, one row a view."""
        ...

    @property
    def scalars(self) -> Mapping[str, object]:
        """What is the same for all views."""
        ...

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Array]:
        """The parameters of ``count`` views."""
        ...


class Stimulus:
    """Shows two views of every moment: rows of view 1, then rows of view 2.

    Parameters:
        ======= ==== =============================== =======
        name    unit math                            default
        ======= ==== =============================== =======
        gain    1    x0 = gain * pixel + offset      2
        offset  1    pixels are in 0..1              -1
        ======= ==== =============================== =======

    The defaults centre the pixels: in -1..1 no input has one sign only.

    Args:
        population: the image population, `neurosim.networks.network.Network.populations[0]`.
        deformation: of every view by itself; None: views are shown as they are loaded.
        gain, offset: as above.

    Attributes:
        images: uint8 ``(sample, row, column, channel)``, the pictures before it.
        parameters: of every view's deformation, as the kernel declares them: name -> one row a view.
    """

    def __init__(
        self, population: Image, deformation: Deforms | None = None, *, gain: float = 2.0, offset: float = -1.0
    ):
        views, dtype = population.views, population.activity.dtype
        self.population, self.deformation, self.scalars = population, deformation, {"gain": gain, "offset": offset}
        shape = (views, *population.shown.shape[1:])
        self.images = Buffer("images", AXES, shape, Role.IMAGE, "stimulus", np.uint8, given=True)
        self.seen = Buffer("seen", AXES, shape, Role.IMAGE, "stimulus", dtype, local=True)
        drawn = deformation.kernel.arguments.values() if deformation else ()
        self.parameters = {a.name: _parameter(a, views) for a in drawn if a.name not in ("image", "out")}

    def load(self, images: Array) -> None:
        """Put pictures ``(sample, row, column, channel)`` uint8 before the stimulus, in the first rows."""
        self.images.put(images, slice(len(images)))

    def choose(self, pictures: Any, rows: Array) -> None:
        """Put some of the pictures that are on the stimulus's device already before it, in the first rows."""
        device = self.images.device
        assert device is not None
        device.rows(pictures, rows, self.images.array[: len(rows)])

    def draw(self, rng: np.random.Generator) -> None:
        """Draw every view's own deformation; nothing where views are shown as they are."""
        if self.deformation is not None:
            for name, values in self.deformation.draw(rng, self.images.shape[0]).items():
                self.parameters[name].put(values)

    def present(self) -> Iterator[Step]:
        """The steps from the pictures to ``x0``."""
        picture = self.images
        if self.deformation is not None:
            kernel = self.deformation.kernel
            yield Step(
                kernel,
                "every view is deformed",
                kernel.equation.replace("out", "seen").replace("image", "images"),
                {"image": self.images, **self.parameters, "out": self.seen},
                scalars=self.deformation.scalars,
                over="sample",
                rows=tuning.CPU.view_rows,
            )
            picture = self.seen
        gain, offset = self.scalars["gain"], self.scalars["offset"]
        shown = self.population.shown
        made = f"{shown.name} = {gain:g} {picture.name}"
        equation = f"{made} {offset:+g}" if offset else made
        yield Step(
            present,
            "the views are shown",
            equation,
            {"image": picture, "activity": shown},
            scalars=self.scalars,
            over="sample",
            rows=tuning.CPU.view_rows,
        )
        yield from self.population.transmit()


def _parameter(argument: Argument, views: int) -> Buffer:
    """An array for what a deformation draws of every view: ``"sample 2 3: float64"`` has 2 x 3 numbers a view."""
    sizes = [int(word) for word in argument.layouts[0][1:]]
    axes = ["sample", *(f"entry {number}" for number in range(1, len(sizes) + 1))]
    kind = argument.types[0]
    return Buffer(argument.name, axes, [views, *sizes], Role.DEFORMATION, "stimulus", kind, given=True)
