"""The built-in images as a data set."""

from __future__ import annotations

from pathlib import Path

from neurosim.data.dataset import Dataset
from neurosim.data.sources.base import Source


class Toys(Source):
    """Ten kinds of solid, drawn when first used.

    Of the toys colour shows nothing and the outline shows everything: their views differ in colour and flip alone. With
    the photographs' affine deformations two views of one toy stay three quarters as far apart as two toys, and little is
    learned.
    """

    name = "toys"
    summary = "ten kinds of solid, drawn when first used"
    images = "6000 + 2000"
    image = (32, 32, 3)
    motion = True
    strengths = {"affine": {"scale": 0.0, "shift": 0.0, "hue": 0.5}}  # noqa: RUF012 - as declared in Source

    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """The toys, from the cache or drawn anew; arguments as `Source.load`."""
        from neurosim.data.toys import toys  # drawing them is not needed for any other source

        return toys.load(seed=seed, frames=frames)
