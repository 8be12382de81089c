"""The stimulus: from pictures to the activity of the image population, deformed or as they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.core import tuning
from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.kernels.views import deform, deform_simclr, present
from neurosim.parts.population import Image

AXES = ("sample", "row", "column", "channel")
# What a deformation takes of each view, by its kernel: name -> (axes, sizes, type).
ONE = (("sample",), (), float)
PARAMETERS = {
    "deform": {"theta": (("sample", "entry_row", "entry_column"), (2, 3), float), "saturation": ONE, "hue": ONE,
               "flip": (("sample",), (), bool)},
    "deform_simclr": {"theta": (("sample", "entry_row", "entry_column"), (2, 3), float), "brightness": ONE, "contrast": ONE,
                      "saturation": ONE, "hue": ONE, "order": (("sample", "place"), (4,), np.int64),
                      "grey": (("sample",), (), bool), "flip": (("sample",), (), bool)},
}  # fmt: skip
EQUATIONS = {
    "deform": "seen = flip(colour(affine(images)))",
    "deform_simclr": "seen = grey(jitter(flip(crop(images))))",
}
KERNELS = {"deform": deform, "deform_simclr": deform_simclr}


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
        gain, offset: as above.
        border: outside of the picture is its border pixel instead of 0.
        kernel: of the deformation, one of `PARAMETERS`.
    """

    def __init__(self, population: Image, gain: float = 2.0, offset: float = -1.0, border: bool = False,
                 kernel: str = "deform"):  # fmt: skip
        views, dtype = population.views, population.activity.dtype
        self.kernel = kernel
        self.population, self.border, self.scalars = population, border, {"gain": gain, "offset": offset}
        self.images = Buffer("images", AXES, (views, *population.shape), "image", "stimulus", np.uint8, given=True)
        self.seen = Buffer("seen", AXES, (views, *population.shape), "image", "stimulus", dtype, local=True)
        self.parameters = {
            name: Buffer(name, axes, (views, *sizes), "deformation", "stimulus", kind, given=True)
            for name, (axes, sizes, kind) in PARAMETERS[kernel].items()
        }

    def load(self, images: np.ndarray) -> None:
        """Lay pictures ``(sample, row, column, channel)`` uint8 before the stimulus, in the first rows."""
        self.images.put(images, slice(len(images)))

    def choose(self, pictures, rows: np.ndarray) -> None:
        """Lay some of the pictures that are on the stimulus's device already before it, in the first rows."""
        self.images.device.rows(pictures, rows, self.images.array[: len(rows)])

    def draw(self, deformation, rng: np.random.Generator) -> None:
        """Draw every view's own deformation."""
        for name, values in deformation.draw(rng, self.images.shape[0]).items():
            self.parameters[name].put(values)

    def present(self, deformed: bool) -> Iterator[Step]:
        """The steps from the pictures to ``x0``."""
        picture = self.images
        if deformed:
            yield Step(
                KERNELS[self.kernel],
                "every view is deformed",
                EQUATIONS[self.kernel],
                {"image": self.images, **self.parameters, "out": self.seen},
                scalars={"border": self.border} if self.kernel == "deform" else {},
                over="sample",
                rows=tuning.CPU.view_rows,
            )
            picture = self.seen
        gain, offset = self.scalars["gain"], self.scalars["offset"]
        equation = f"x0 = {gain:g} {picture.name} {offset:+g}" if offset else f"x0 = {gain:g} {picture.name}"
        yield Step(
            present,
            "the views are shown",
            equation,
            {"image": picture, "activity": self.population.activity},
            scalars=self.scalars,
            over="sample",
            rows=tuning.CPU.view_rows,
        )
