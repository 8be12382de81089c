"""What all sources of picture files have in common: any sizes, brought to one; labels or none; what is broken is named."""

from __future__ import annotations

import dataclasses
import functools
from abc import abstractmethod
from pathlib import Path
from typing import Annotated

import numpy as np

from neurosim.core.options import Option
from neurosim.core.typing import Array
from neurosim.data.dataset import Dataset
from neurosim.data.pictures import decode
from neurosim.data.pictures.decode import FITS, Fitting
from neurosim.data.pictures.described import checked
from neurosim.data.pictures.gathered import Gathered
from neurosim.data.sources.base import Source
from neurosim.data.sources.npz import of_arrays

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


class Fitted(Source):
    """Pictures that are brought to one size.

    Args:
        asked: the name that was asked for.
        size, fit, background: see `neurosim.data.pictures.decode.Fitting`.
    """

    def __init__(self, asked: str = "", size: Size = None, fit: Fit = "crop", background: Background = "black") -> None:
        super().__init__(asked)
        self.fitting = Fitting(size, fit, background)


class Encoded(Fitted):
    """Pictures in files or in archives of files; `gather` says where."""

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


class Sized(Fitted):
    """Pictures that are arrays already, of one size, which may be brought to another."""

    def sized(self, where: str, arrays: dict[str, Array]) -> Dataset:
        """A data set from arrays, see `neurosim.data.sources.npz.of_arrays`, of the size that was asked for."""
        found = of_arrays(where, arrays, self.asked)
        if self.fitting.size is None:
            return found
        fitted = functools.partial(decode.fitted, fitting=self.fitting)
        train, test = np.stack(list(map(fitted, found.train_images))), found.test_images
        test = None if test is None else np.stack(list(map(fitted, test)))
        return dataclasses.replace(found, train_images=train, test_images=test)
