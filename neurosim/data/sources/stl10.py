"""STL-10 (Coates, Ng, Lee 2011) from its own binary files, memory-mapped.

``*_X.bin`` holds images of 96 x 96, one after another: the red, the green and the blue plane, each column by column.
``*_y.bin`` holds one byte an image, 1 to 10. Most images have no label: they are for the encoder; the labelled ones are
for the read-out.
"""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurosim.data.dataset import Dataset
from neurosim.errors import DataError

SIDE, CHANNELS = 96, 3
IMAGE_BYTES = SIDE * SIDE * CHANNELS
CLASSES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


@dataclass(frozen=True)
class Layout:
    """Where STL-10 keeps what: the folder's name, the archives it comes in, and every split's official number of images."""

    name: str = "stl10"
    binary: str = "stl10_binary"
    archives: tuple[str, ...] = ("stl10_binary.tar.gz",)
    train: int = 5_000
    test: int = 8_000
    unlabeled: int = 100_000

    @property
    def files(self) -> dict[str, int]:
        """Every file and its official size in bytes."""
        splits = {"train": self.train, "test": self.test, "unlabeled": self.unlabeled}
        labels = {f"{split}_y.bin": splits[split] for split in ("train", "test")}
        return {f"{split}_X.bin": count * IMAGE_BYTES for split, count in splits.items()} | labels


LAYOUTS = {"stl10": Layout()}


def load(name: str, data_dir: Path) -> Dataset:
    """Read STL-10 from ``data_dir``; no image is copied before it is looked at.

    Args:
        name: ``stl10``.
        data_dir: the folder of the files, or the folder that folder is in.

    Returns:
        The unlabelled images as training images, the labelled ones for the read-out and the test images, each a
        memory map, uint8 ``(sample, row, column, channel)``. Files with fewer images than the official ones are taken
        as they are, as long as they hold whole images and as many labels.

    Raises:
        DataError: files that are not there, cut short, or whose labels do not fit.
    """
    layout, data_dir = LAYOUTS[name], Path(data_dir)
    folder = find(layout, data_dir)
    if folder is None:
        raise _absent(layout, data_dir)
    images = {split: _images(layout, folder, split) for split in ("train", "test", "unlabeled")}
    labels = {split: _labels(layout, folder, split, len(images[split])) for split in ("train", "test")}
    return Dataset(name, images["unlabeled"], None, images["test"], labels["test"], CLASSES,
                   readout_images=images["train"], readout_labels=labels["train"])  # fmt: skip


def find(layout: Layout, data_dir: Path) -> Path | None:
    """The folder in (or at) ``data_dir`` that holds files of the set, whole or not; None where there is none."""
    for folder in (data_dir / layout.binary, data_dir):
        if any(os.path.isfile(folder / file) for file in layout.files):
            return folder
    return None


def complete(layout: Layout, folder: Path) -> bool:
    """Whether ``folder`` has every file at its official size."""
    return all(
        os.path.isfile(folder / file) and os.path.getsize(folder / file) == size for file, size in layout.files.items()
    )


def wanted(layout: Layout) -> dict[str, str]:
    """Name in the archive -> name on the disk of every file that is read."""
    return {f"{layout.binary}/{file}": file for file in layout.files}


def _absent(layout: Layout, data_dir: Path) -> DataError:
    path, where = data_dir / layout.archives[0], shlex.quote(str(data_dir))
    if os.path.isfile(path):
        what = shlex.quote(str(path))
        return DataError(f"{path} is not extracted", "its files", f"extract it with `tar -xzf {what} -C {where}`")
    return DataError(f"no {layout.name} in {data_dir}", f"the folder {layout.binary} in it",
                     f"fetch it with `{_command(layout, data_dir)}`, or name another folder with --data-dir")  # fmt: skip


def _command(layout: Layout, data_dir: Path) -> str:
    return f"neurosim data fetch {layout.name} --data-dir {shlex.quote(str(data_dir))}"


def _again(layout: Layout, folder: Path) -> str:
    parent = folder.parent if folder.name == layout.binary else folder
    return f"remove it and fetch it again with `{_command(layout, parent)}`"


def _size(layout: Layout, path: Path) -> int:
    if not os.path.isfile(path):
        split = "the unlabelled split, which the encoder learns from" if "unlabeled" in path.name else "a file of STL-10"
        raise DataError(f"{path} is missing", split, _again(layout, path.parent).removeprefix("remove it and "))
    return os.path.getsize(path)


def _images(layout: Layout, folder: Path, split: str) -> np.ndarray:
    """A split's images, mapped: from (channel, column, row) in the file to (row, column, channel)."""
    path = folder / f"{split}_X.bin"
    size, official = _size(layout, path), layout.files[f"{split}_X.bin"]
    if size == 0 or size % IMAGE_BYTES:
        expected = f"a whole number of images of {IMAGE_BYTES} bytes, {official} bytes in all if it is the official file"
        raise DataError(f"{path} has {size} bytes", expected, _again(layout, folder))
    try:
        mapped = np.memmap(path, np.uint8, "r", shape=(size // IMAGE_BYTES, CHANNELS, SIDE, SIDE))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})", "a file of STL-10", _again(layout, folder)) from None
    return mapped.transpose(0, 3, 2, 1)


def _labels(layout: Layout, folder: Path, split: str, images: int) -> np.ndarray:
    path = folder / f"{split}_y.bin"
    size = _size(layout, path)
    if size != images:
        raise DataError(f"{path} has {size} bytes", f"{images}, one an image of {split}_X.bin", _again(layout, folder))
    try:
        labels = np.frombuffer(path.read_bytes(), np.uint8).astype(np.int64) - 1
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})", "a file of STL-10", _again(layout, folder)) from None
    wrong = np.flatnonzero((labels < 0) | (labels >= len(CLASSES)))
    if len(wrong):
        raise DataError(f"{path}: image {wrong[0]} has the label {labels[wrong[0]] + 1}",
                        f"labels 1 to {len(CLASSES)} as {layout.name} has", _again(layout, folder))  # fmt: skip
    return labels
