"""STL-10 (Coates, Ng, Lee 2011) from its own binary files, memory-mapped.

``*_X.bin`` holds images of 96 x 96, one after another: the red, the green and the blue plane, each column by column.
``*_y.bin`` holds one byte an image, 1 to 10. Most images have no label: they are for the encoder; the labelled ones are
for the read-out.
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
from neurosim.data.sources.base import Archive, Files, Source
from neurosim.errors import DataError

SIDE, CHANNELS = 96, 3
IMAGE_BYTES = SIDE * SIDE * CHANNELS
CLASSES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


@dataclass(frozen=True)
class Layout(Files):
    """Every split's official number of images."""

    train: int = 5_000
    test: int = 8_000
    unlabeled: int = 100_000

    @property
    def sizes(self) -> dict[str, int]:
        """Every file and its official size in bytes."""
        splits = {"train": self.train, "test": self.test, "unlabeled": self.unlabeled}
        labels = {f"{split}_y.bin": splits[split] for split in ("train", "test")}
        return {f"{split}_X.bin": count * IMAGE_BYTES for split, count in splits.items()} | labels


class Stl10(Source):
    """Photographs of ten kinds, most without labels (Coates 2011)."""

    name = "stl10"
    summary = "photographs of ten kinds, most without labels (Coates 2011)"
    images = "100000 + 5000 + 8000"
    image = (SIDE, SIDE, CHANNELS)
    files: ClassVar[Layout] = Layout(
        name="stl10",
        binary="stl10_binary",
        archives=("stl10_binary.tar.gz",),
        archive=Archive(
            "https://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
            "91f7769df0f17e558f3565bffb0c7dfb",
            3_130_000_000,
        ),
    )

    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """Map the files; no image is copied before it is used.

        Args:
            data_dir: the folder of the files, or the folder that folder is in.
            seed: of nothing.
            frames: 1.

        Returns:
            The unlabelled images as training images, the labelled ones for the read-out and the test images, each a
            memory map, uint8 ``(sample, row, column, channel)``. Files with fewer images than the official ones are taken
            as they are, as long as they hold whole images and as many labels.

        Raises:
            DataError: files that are not there, cut short, or whose labels do not fit.
        """
        layout = self.files
        folder = layout.located(Path(data_dir))
        images = {split: _images(layout, folder, split) for split in ("train", "test", "unlabeled")}
        labels = {split: _labels(layout, folder, split, len(images[split])) for split in ("train", "test")}
        return Dataset(
            self.asked,
            images["unlabeled"],
            None,
            images["test"],
            labels["test"],
            CLASSES,
            readout_images=images["train"],
            readout_labels=labels["train"],
        )


def _size(layout: Layout, path: Path) -> int:
    if not os.path.isfile(path):
        split = (
            "the unlabelled split, which the encoder learns from" if "unlabeled" in path.name else "a file of STL-10"
        )
        raise DataError(f"{path} is missing", split, layout.again(path.parent).removeprefix("remove it and "))
    return os.path.getsize(path)


def _images(layout: Layout, folder: Path, split: str) -> Array:
    """A split's images, mapped: from (channel, column, row) in the file to (row, column, channel)."""
    path = folder / f"{split}_X.bin"
    size, official = _size(layout, path), layout.sizes[f"{split}_X.bin"]
    if size == 0 or size % IMAGE_BYTES:
        expected = (
            f"a whole number of images of {IMAGE_BYTES} bytes, {official} bytes in all if it is the official file"
        )
        raise DataError(f"{path} has {size} bytes", expected, layout.again(folder))
    with File(path, "a file of STL-10", layout.again(folder), DataError).open():
        mapped = np.memmap(path, np.uint8, "r", shape=(size // IMAGE_BYTES, CHANNELS, SIDE, SIDE))
    return mapped.transpose(0, 3, 2, 1)


def _labels(layout: Layout, folder: Path, split: str, images: int) -> Array:
    path = folder / f"{split}_y.bin"
    size = _size(layout, path)
    if size != images:
        raise DataError(f"{path} has {size} bytes", f"{images}, one an image of {split}_X.bin", layout.again(folder))
    data = File(path, "a file of STL-10", layout.again(folder), DataError).read()
    labels = np.frombuffer(data, np.uint8).astype(np.int64) - 1
    wrong = np.flatnonzero((labels < 0) | (labels >= len(CLASSES)))
    if len(wrong):
        raise DataError(
            f"{path}: image {wrong[0]} has the label {labels[wrong[0]] + 1}",
            f"labels 1 to {len(CLASSES)} as {layout.name} has",
            layout.again(folder),
        )
    return labels
