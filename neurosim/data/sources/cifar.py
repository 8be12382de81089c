"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009) from their own files, in the binary or in the python layout.

Binary: one row an image, its label bytes (CIFAR-10: one; CIFAR-100: coarse, then fine), then 3072 bytes: the red, the
green and the blue plane of 32 x 32, row by row. Python: a pickled dictionary with the same bytes, read by an unpickler
that builds nothing but that (`neurosim.data.sources.unpickle`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from neurosim.core.reading import File
from neurosim.core.typing import Array
from neurosim.data.dataset import Dataset
from neurosim.data.sources.base import Files, Source
from neurosim.data.sources.unpickle import unpickle
from neurosim.errors import DataError

SIDE, CHANNELS = 32, 3
PIXELS = SIDE * SIDE * CHANNELS


@dataclass(frozen=True)
class Layout(Files):
    """Where one of the two sets keeps what.

    Args:
        python: the folder's name in the python layout.
        train: the training files, without the binary layout's ``.bin``.
        test: the test file, likewise.
        train_rows: images in each training file.
        test_rows: images in the test file.
        limits: how many labels each label byte of a row distinguishes; the last one is the label used.
        labels: the key of that label in the python layout.
        names: (binary file, python file, key in it) of the class names.
        classes: the names where no file has them.
    """

    python: str
    train: tuple[str, ...]
    test: str
    train_rows: int
    test_rows: int
    limits: tuple[int, ...]
    labels: str
    names: tuple[str, str, str]
    classes: tuple[str, ...]

    @property
    def row_bytes(self) -> int:
        """Bytes of one image with its labels in the binary layout."""
        return len(self.limits) + PIXELS

    @property
    def rows(self) -> dict[str, int]:
        """Every file of images, without ``.bin``, and how many images it holds."""
        return dict.fromkeys(self.train, self.train_rows) | {self.test: self.test_rows}

    @property
    def sizes(self) -> dict[str, int]:
        """Every file of the binary layout and its size in bytes."""
        return {f"{file}.bin": rows * self.row_bytes for file, rows in self.rows.items()}

    def wanted(self) -> dict[str, str]:
        """Name in the archive -> name on the disk of every file that is read; the classes' names too."""
        return super().wanted() | {f"{self.binary}/{self.names[0]}": self.names[0]}

    def find(self, data_dir: Path) -> Path | None:
        """The folder in (or at) ``data_dir`` that holds files of either layout; None where there is none."""
        for inside, suffix in ((self.binary, ".bin"), ("", ".bin"), (self.python, ""), ("", "")):
            if self.holds(data_dir / inside, suffix):
                return data_dir / inside
        return None

    def holds(self, folder: Path, suffix: str) -> bool:
        """Whether a folder has any of the files, ending so."""
        return any(os.path.isfile(folder / f"{file}{suffix}") for file in self.rows)

    def _folders(self) -> str:
        return f"{self.binary} or {self.python}"


class Cifar(Source):
    """What the two sets have in common."""

    images = "50000 + 10000"
    image = (SIDE, SIDE, CHANNELS)
    files: ClassVar[Layout]

    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """Read the set from the folder of its files, or from the folder that folder is in.

        The binary layout is read where both are.

        Args:
            data_dir: one of those folders.
            seed: of nothing.
            frames: 1.

        Returns:
            50,000 training and 10,000 test images, uint8 ``(sample, row, column, channel)``, in the order of the files.

        Raises:
            DataError: the files are not there, not extracted, truncated, mislabelled or something else.
        """
        layout = self.files
        folder = layout.located(Path(data_dir))
        binary = layout.holds(folder, ".bin")
        read = _read_binary if binary else _read_python
        images = np.empty((len(layout.train) * layout.train_rows, SIDE, SIDE, CHANNELS), np.uint8)
        labels = np.empty(len(images), np.int64)
        for number, file in enumerate(layout.train):
            part = slice(number * layout.train_rows, (number + 1) * layout.train_rows)
            images[part], labels[part] = read(layout, folder, file)
        test_images, test_labels = read(layout, folder, layout.test)
        classes = _classes(layout, folder, binary)
        return Dataset(self.asked, images, labels, np.ascontiguousarray(test_images), test_labels, classes)


def _bytes(layout: Layout, path: Path) -> bytes:
    return File(path, f"a file of {layout.name}", layout.again(path.parent), DataError).read()


def _read_binary(layout: Layout, folder: Path, file: str) -> tuple[Array, Array]:
    """Images ``(sample, row, column, channel)`` and labels of one binary file."""
    path, count = folder / f"{file}.bin", layout.rows[file]
    size = os.path.getsize(path) if os.path.isfile(path) else None
    if size != count * layout.row_bytes:
        raise DataError(
            f"{path} is missing" if size is None else f"{path} has {size} bytes",
            f"{count * layout.row_bytes} bytes ({count} images of {layout.row_bytes})",
            layout.again(folder),
        )
    rows = np.frombuffer(_bytes(layout, path), np.uint8).reshape(count, layout.row_bytes)
    for column, limit in enumerate(layout.limits):
        _check_labels(layout, path, rows[:, column], limit)
    return _pixels(rows[:, len(layout.limits) :]), rows[:, len(layout.limits) - 1].astype(np.int64)


def _read_python(layout: Layout, folder: Path, file: str) -> tuple[Array, Array]:
    """Images ``(sample, row, column, channel)`` and labels of one pickled file."""
    path, count = folder / file, layout.rows[file]
    batch = unpickle(_bytes(layout, path), path)
    data, labels = batch.get("data"), batch.get(layout.labels)
    if not isinstance(data, np.ndarray) or data.shape != (count, PIXELS):
        actual = f"an array {data.shape}" if isinstance(data, np.ndarray) else "no array"
        raise DataError(f"{path} has {actual} as data", f"one of {(count, PIXELS)}", layout.again(folder))
    if not isinstance(labels, list) or len(labels) != count or not all(type(label) is int for label in labels):
        actual = f"{len(labels)} {layout.labels}" if isinstance(labels, list) else f"no list {layout.labels}"
        raise DataError(f"{path} has {actual}", f"{count} whole numbers", layout.again(folder))
    bound = 2**62  # a pickled number has none of its own
    numbers = np.array([min(max(label, -bound), bound) for label in labels], np.int64)
    _check_labels(layout, path, numbers, layout.limits[-1])
    return _pixels(data), numbers


def _check_labels(layout: Layout, path: Path, labels: Array, limit: int) -> None:
    wrong = np.flatnonzero((labels < 0) | (labels >= limit))
    if len(wrong):
        raise DataError(
            f"{path}: image {wrong[0]} has the label {labels[wrong[0]]}",
            f"labels 0 to {limit - 1} as {layout.name} has",
            layout.again(path.parent),
        )


def _pixels(planes: Array) -> Array:
    """From ``(sample, 3072)``, colour planes one after another, to ``(sample, row, column, channel)``."""
    return planes.reshape(-1, CHANNELS, SIDE, SIDE).transpose(0, 2, 3, 1)


def _classes(layout: Layout, folder: Path, binary: bool) -> tuple[str, ...]:
    path = folder / layout.names[0 if binary else 1]
    if not os.path.isfile(path):
        return layout.classes
    data = _bytes(layout, path)
    if binary:
        names = [line.strip() for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    else:
        found = unpickle(data, path).get(layout.names[2])
        there = found if isinstance(found, list) else []
        names = [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in there]
    if len(names) != len(layout.classes):
        hint = f"remove it (the names are known without it) or {layout.again(folder).removeprefix('remove it and ')}"
        raise DataError(f"{path} has {len(names)} class names", f"{len(layout.classes)}", hint)
    return tuple(names)
