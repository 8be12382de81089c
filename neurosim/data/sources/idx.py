"""Pictures in idx files, as MNIST and its relatives are kept (LeCun, Cortes, Burges 1998): ``idx:FOLDER``."""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path

import numpy as np

from neurosim.core.reading import File
from neurosim.core.typing import Array
from neurosim.data.dataset import Dataset
from neurosim.data.sources.encoded import Sized
from neurosim.errors import DataError

NAMES = {"images": ("train", "images"), "labels": ("train", "labels")} | {
    "test_images": ("t10k", "images"),
    "test_labels": ("t10k", "labels"),
}
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class Idx(Sized):
    """The files ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the same of ``t10k``, packed by gzip or not."""

    name = "idx:FOLDER"
    summary = "idx files, as of MNIST: {train,t10k}-{images,labels}-idx*, .gz or not"

    @staticmethod
    def claims(name: str) -> bool:
        """Whether a name is ``idx:`` and a path."""
        return name.startswith("idx:") and name != "idx:"

    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """Read the files; arguments as `Source.load`.

        Raises:
            DataError: no such folder or files, or files that are not of this kind.
        """
        root = Path(os.path.expanduser(self.asked.removeprefix("idx:")))
        try:
            there = sorted(os.listdir(root))
        except OSError as error:
            raise DataError(f"{root}: {error.strerror}", "a folder of idx files", "check the path") from None
        found = {key: _find(there, *words) for key, words in NAMES.items()}
        if found["images"] is None:
            raise DataError(f"{root} has no training images", "train-images-idx3-ubyte, or .gz", "check the path")
        arrays = {key: _read(root / file) for key, file in found.items() if file is not None}
        return self.sized(str(root), arrays)


def _find(there: list[str], split: str, what: str) -> str | None:
    """The file of one split; ``test`` is another word for ``t10k``."""
    words = ("t10k", "test") if split == "t10k" else (split,)
    for name in there:
        if "idx" in name and what in name and any(word in name for word in words):
            return name
    return None


def _read(path: Path) -> Array:
    """The array of one file: two zero bytes, type, number of axes, their lengths, then the values."""
    data = File(path, "an idx file", "fetch it again", DataError).unpacked()
    kind, axes = (data[2], data[3]) if len(data) >= 4 and data[:2] == b"\0\0" else (0, 0)
    if kind not in _TYPES or not axes or len(data) < 4 + 4 * axes:
        raise DataError(f"{path} is no idx file", "two zero bytes, a type and a number of axes", "fetch it again")
    shape = struct.unpack(f">{axes}I", data[4 : 4 + 4 * axes])
    values = np.frombuffer(data, _TYPES[kind], offset=4 + 4 * axes) if _whole(data, shape, axes, kind) else None
    if values is None:
        size = " x ".join(map(str, shape))
        raise DataError(f"{path} has {len(data)} bytes", f"those of {size} values", "fetch it again")
    return values.reshape(shape).astype(np.dtype(_TYPES[kind]).newbyteorder("="))


def _whole(data: bytes, shape: tuple[int, ...], axes: int, kind: int) -> bool:
    return len(data) - 4 - 4 * axes == math.prod(shape) * np.dtype(_TYPES[kind]).itemsize
