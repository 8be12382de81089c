"""Pictures in MATLAB files, as SVHN is kept (Netzer et al. 2011): ``mat:FILE`` or ``mat:FOLDER``."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from neurosim.core import matlab
from neurosim.core.reading import File, allowed, size_of
from neurosim.core.typing import Array
from neurosim.data.dataset import Dataset
from neurosim.data.sources.encoded import Sized
from neurosim.errors import DataError


class Mat(Sized):
    """``X`` (row, column, channel, sample) and ``y``; of a folder ``train*.mat`` and ``test*.mat``."""

    name = "mat:PATH"
    summary = "MATLAB files, as of SVHN: X and y; a file, or a folder of train*.mat and test*.mat"

    @staticmethod
    def claims(name: str) -> bool:
        """Whether a name is ``mat:`` and a path."""
        return name.startswith("mat:") and name != "mat:"

    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """Read the files; arguments as `Source.load`.

        Raises:
            DataError: no such files, or files that are not of this kind.
        """
        path = Path(os.path.expanduser(self.asked.removeprefix("mat:")))
        if not path.is_dir():
            return self.sized(str(path), _read(path, ""))
        arrays: dict[str, Array] = {}
        for split, before in (("train", ""), ("test", "test_")):
            files = sorted(path.glob(f"{split}*.mat"))
            if not files:
                raise DataError(f"{path} has no {split}*.mat", "one of train and one of test", "check the path")
            arrays |= _read(files[0], before)
        return self.sized(str(path), arrays)


def _read(path: Path, before: str) -> dict[str, Array]:
    """Images ``(sample, row, column, channel)`` and labels of one file, under names that begin with ``before``."""
    if not path.exists():
        raise DataError(f"no file {path}", "a MATLAB file", "check the path")
    hint = "save it in format 7 or 6 (save -v7), not 7.3 or 4"
    with File(path, "a MATLAB file with X and y", hint, DataError).open() as file:
        size = size_of(file)
        found = matlab.arrays(file, size, ("X", "y"), allowed(size))
    images, labels = found.get("X"), found.get("y")
    if images is None or images.ndim not in (3, 4):
        shape = "no X" if images is None else f"X of shape {images.shape}"
        raise DataError(f"{path} has {shape}", "X (row, column, channel, sample)", "save it so")
    arrays = {f"{before}images": np.moveaxis(images, -1, 0)}
    if labels is not None:
        labels = labels.ravel()
        whole = np.issubdtype(labels.dtype, np.floating) and (labels == np.rint(labels)).all()
        arrays[f"{before}labels"] = labels.astype(np.int64) if whole else labels
    return arrays
