"""What all sources of picture files have in common: any sizes, brought to one; labels or none; what is broken is named."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Annotated

from neurosim.core.options import Option
from neurosim.data.dataset import Dataset
from neurosim.data.pictures.decode import FITS, Fitting
from neurosim.data.pictures.described import checked
from neurosim.data.pictures.gathered import Gathered
from neurosim.data.sources.base import Source

Size = Annotated[
    int | None,
    Option(
        "Bring pictures to so many rows and columns.",
        unit="pixels",
        low=2,
        short="Bring pictures to so many rows and columns",
    ),
]
Fit = Annotated[str, Option("How: crop to the middle, pad with the background, or stretch.", choices=FITS)]
Background = Annotated[
    str, Option("Behind what is transparent, and beside what is padded: a name or #rrggbb.", metavar="COLOUR")
]


class Encoded(Source):
    """Pictures in files or in archives of files; `gather` says where.

    Args:
        asked: the name that was asked for.
        size, fit, background: see `neurosim.data.pictures.decode.Fitting`.
    """

    def __init__(self, asked: str = "", size: Size = None, fit: Fit = "crop", background: Background = "black") -> None:
        super().__init__(asked)
        self.fitting = Fitting(size, fit, background)

    @abstractmethod
    def gather(self) -> Gathered:
        """Find the files, and what is known of their labels.

        Raises:
            DataError: nothing there, or nothing that can be read.
        """

    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """Decode the pictures, or find them in the cache.

        Args:
            data_dir: of nothing.
            seed: of nothing.
            frames: 1.

        Returns:
            uint8 images ``(sample, row, column, 3)``, a memory map. Where nothing is set apart for the test, one picture in
            five of each class, drawn with the seed 0, is a test image. Training images are shuffled, always alike. With fewer
            than two classes there are no labels.

        Raises:
            DataError: no pictures, or pictures of several sizes and no size to bring them to.
        """
        return self.gather().dataset(self.fitting)[0]

    def check(self, data_dir: Path) -> tuple[list[tuple[str, str]], Dataset]:
        """What would be read and what is left out; see `Source.check`."""
        return checked(self.gather(), self.fitting)
