"""What every source of images gives: arrays of pictures, and labels for the read-out alone."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from neurosim.core.typing import Array
from neurosim.errors import DataError

FINGERED = 4096  # images of a fingerprint, at least, where there are so many


class Labelled(NamedTuple):
    """What a read-out learns from and is tested on.

    Attributes:
        images: uint8 ``(sample, row, column, channel)``, or with frames after the first axis.
        labels: int64 ``(sample,)``.
        test_images: uint8 ``(sample, row, column, channel)``.
        test_labels: int64 ``(sample,)``.
    """

    images: Array
    labels: Array
    test_images: Array
    test_labels: Array


@dataclass(frozen=True)
class Dataset:
    """Images for the encoder, labels for the read-out (condition iv: no label reaches a synapse before it).

    Args:
        name: as the user typed it, ``toys``, ``cifar10``, ``folder:PATH``.
        train_images: uint8 ``(sample, row, column, channel)``, or ``(sample, frame, row, column, channel)`` where
            several frames of one object are two views of it.
        train_labels: int64 ``(sample,)`` in ``0 .. len(classes) - 1``, or None.
        test_images: uint8, one frame each, or None.
        test_labels: int64 ``(sample,)`` or None.
        classes: the classes' names.
        readout_images: other images than the training images for the read-out to learn from, where the training images
            have no labels; None: the training images.
        readout_labels: int64 ``(sample,)``, theirs.
        train_names: of the training images: where each is a file, its path below the data's folder; where one array was
            divided, its row in it. None: they have none, and stand in the order of their source.
        test_names: of the test images.
        notes: what a user should know of how they were read, a line each.

    Raises:
        DataError: arrays that do not belong together.
    """

    name: str
    train_images: Array
    train_labels: Array | None
    test_images: Array | None
    test_labels: Array | None
    classes: tuple[str, ...]
    readout_images: Array | None = None
    readout_labels: Array | None = None
    train_names: tuple[str, ...] | None = None
    test_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for split in ("train", "test", "readout"):
            images, labels = getattr(self, f"{split}_images"), getattr(self, f"{split}_labels")
            if images is not None and (images.dtype != np.uint8 or images.ndim not in (4, 5)):
                raise DataError(
                    f"{self.name}: {split} images are {images.dtype} with shape {images.shape}",
                    "uint8 (sample, row, column, channel)",
                    "convert them before use",
                )
            if labels is not None and (images is None or len(labels) != len(images)):
                count = 0 if images is None else len(images)
                raise DataError(
                    f"{self.name}: {len(labels)} {split} labels for {count} {split} images",
                    "one label an image",
                    "correct the file, or leave the labels out",
                )

    @property
    def labelled(self) -> tuple[Array, Array] | None:
        """Images and labels that the read-out learns from; None where there are no labels, or no test to read them."""
        images, labels = self.train_images, self.train_labels
        if self.readout_images is not None:
            images, labels = self.readout_images, self.readout_labels
        return None if labels is None or self.test_labels is None else (images, labels)

    def for_readout(self) -> Labelled:
        """What a read-out learns from and is tested on.

        Raises:
            DataError: no labels, or no test images.
        """
        if self.labelled is None or self.test_images is None or self.test_labels is None:
            raise DataError(
                f"{self.name} has no labels for a read-out",
                "training and test images with labels",
                "add labels, or read the features out elsewhere",
            )
        return Labelled(*self.labelled, self.test_images, self.test_labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(row, column, channel) of one image."""
        rows, columns, channels = self.train_images.shape[-3:]
        return rows, columns, channels

    def fingerprint(self) -> dict[str, Any]:
        """How many images of which shape, and a digest of some 4,000 of them, evenly spread: changed data are noticed by it."""
        count = len(self.train_images)
        total = hashlib.sha256()
        for start in range(0, count, max(1, count // FINGERED)):
            total.update(np.ascontiguousarray(self.train_images[start]).data)
        return {"images": count, "shape": list(self.train_images.shape[1:]), "digest": total.hexdigest()[:32]}

    def first(self, count: int) -> Dataset:
        """The same with the first ``count`` training images alone; what the read-out sees of others stays.

        Raises:
            DataError: more than there are, or none.
        """
        there = len(self.train_images)
        if not 1 <= count <= there:
            raise DataError(f"{self.name}: {count} images asked for", f"1 to {there}", "choose a number in that range")
        labels = None if self.train_labels is None else self.train_labels[:count].copy()
        # What is not kept is let go; a memory map holds nothing, and stays one.
        images = self.train_images[:count]
        images = images if isinstance(images, np.memmap) else images.copy()
        names = None if self.train_names is None else self.train_names[:count]
        notes = self.notes if labels is None else (*self.notes, *self._lacking(labels))
        return dataclasses.replace(self, train_images=images, train_labels=labels, train_names=names, notes=notes)

    def _lacking(self, labels: Array) -> list[str]:
        """What is to be said where the first images lack classes that there are, as they do where labels are sorted."""
        assert self.train_labels is not None
        there, left = (len(np.unique(each)) for each in (self.train_labels, labels))
        if left == there:
            return []
        why = ", for they are sorted by label" if (np.diff(self.train_labels) >= 0).all() else ""
        return [f"the first {len(labels)} images are of {left} of {there} classes{why}: shuffle them, or take all"]
