"""Images from one NumPy archive, ``FILE.npz``, and the split of any set that has no test images of its own."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import numpy as np

from neurosim.core.reading import File
from neurosim.core.typing import Array
from neurosim.data.dataset import Dataset
from neurosim.data.sources.arrays import call_for_bytes, laid
from neurosim.data.sources.base import Source
from neurosim.errors import DataError

KEYS = ("images", "labels", "test_images", "test_labels")
TEST_SHARE = 0.2
_SEED, _STREAM = 0, 0x5B117  # the split is the same for every run, whatever its own seed


class Npz(Source):
    """The arrays of a file written by ``numpy.savez``."""

    name = "FILE.npz"
    summary = "your arrays: images, labels, test_images, test_labels"

    @staticmethod
    def claims(name: str) -> bool:
        """Whether a name is that of such a file."""
        return name.lower().endswith(".npz")

    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """Read the file; arguments as `Source.load`."""
        return load(Path(os.path.expanduser(self.asked)), self.asked)


def load(path: Path, name: str | None = None) -> Dataset:
    """Read ``images``, and where they are there ``labels``, ``test_images`` and ``test_labels``.

    Args:
        path: a file written by ``numpy.savez``.
        name: of the data set; the path where None.

    Returns:
        As `of_arrays`.

    Raises:
        DataError: a file that is not such an archive, or arrays that cannot be used.
    """
    path = Path(path)
    return of_arrays(str(path), _read(path), name)


def of_arrays(where: str, arrays: dict[str, Array], name: str | None = None) -> Dataset:
    """A data set from arrays.

    Args:
        where: they come from, for messages.
        arrays: by the names of `KEYS`. Images are ``(sample, row, column, channel)`` with 3 channels, or 1, or
            ``(sample, row, column)``, grey: grey ones get three equal channels. Axes in another order are put right where the
            number of labels tells which. They are uint8, whole numbers in 0 .. 255 of
            another type, or floating numbers in 0 .. 1. Labels are whole numbers ``(sample,)`` or ``(sample, 1)``, any values,
            or one-hot ``(sample, class)``: ``classes`` are those values, in order.
        name: of the data set; ``where`` if None.

    Returns:
        The images in the arrays' order. Without ``test_images``, one in five, drawn with the seed 0, is a test image: of
        every class alike where there are labels (see `divide`).

    Raises:
        DataError: arrays that cannot be used.
    """
    _check_keys(where, list(arrays))
    images, notes = _all_images(where, arrays)
    _check_pairs(where, arrays, images)
    labels, classes = _labels(where, {**arrays, **images})
    name, own = where if name is None else name, labels.get("labels")
    if "test_images" in images:
        pair = images["images"], own, images["test_images"], labels.get("test_labels")
        return Dataset(name, *pair, classes, notes=notes)
    train, test = divide(where, len(images["images"]), own)
    parts = [None if own is None else own[part] for part in (train, test)]
    # What was divided can be put in its order again.
    digits = len(str(len(images["images"]) - 1))
    rows = [tuple(f"{row:0{digits}}" for row in part.tolist()) for part in (train, test)]
    pair = images["images"][train], parts[0], images["images"][test], parts[1]
    return Dataset(name, *pair, classes, train_names=rows[0], test_names=rows[1], notes=notes)


def divide(name: str, count: int, labels: Array | None) -> tuple[Array, Array]:
    """Indices of the training and of the test images, four to one, each in order; always the same for the same labels.

    Args:
        name: named in the error.
        count: how many images there are.
        labels: int64 ``(sample,)``: every kind with two images or more has both training and test images; or None.

    Raises:
        DataError: nothing to divide.
    """
    rng = np.random.default_rng([_SEED, _STREAM])
    kinds = np.zeros(count, np.int64) if labels is None else labels
    test = np.zeros(count, bool)
    for kind in np.unique(kinds):
        members = np.flatnonzero(kinds == kind)
        share = max(round(TEST_SHARE * len(members)), 1) if len(members) > 1 else 0
        test[rng.permutation(members)[:share]] = True
    if not test.any():
        actual = f"{name} has {count} image{'s'[: count != 1]}, no two of one kind"
        raise DataError(actual, "at least two, to keep some for the test", "add images, or test images of their own")
    return np.flatnonzero(~test), np.flatnonzero(test)


def _read(path: Path) -> dict[str, Array]:
    if not path.exists():
        raise DataError(f"no file {path}", "a NumPy archive", "check the path")
    return File(path, "plain arrays, a NumPy archive written by numpy.savez", "write it anew", DataError).npz()


def _check_keys(where: str, keys: list[str]) -> None:
    for key in keys:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            hint = f"name it {near[0]}, or leave it out" if near else "leave it out"
            raise DataError(f"{where} holds an array {key!r}", f"{', '.join(KEYS)} alone", hint)
    if "images" not in keys:
        raise DataError(f"{where} holds no array 'images'", "the training images under that name", "write it anew")


def _all_images(where: str, arrays: dict[str, Array]) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Images as uint8, by their names, and notes of what was put right; the number of their labels tells where samples are."""
    images: dict[str, Array] = {}
    notes: list[str] = []
    for key in ("images", "test_images"):
        if key in arrays:
            beside = arrays.get(key.replace("images", "labels"))
            count = len(beside) if beside is not None and beside.ndim else None
            images[key], note = _images(where, key, arrays[key], count)
            notes += [note] * bool(note)
    return images, tuple(notes)


def _images(where: str, key: str, images: Array, labels: int | None) -> tuple[Array, str]:
    """uint8 ``(sample, row, column, 3)``, and a note of what was put right."""
    what = f"{where}: {key}"
    images, note = laid(what, images, labels)
    if images.size == 0:
        raise DataError(f"{what} is empty, shape {images.shape}", "one image or more", "write it anew")
    if images.dtype != np.uint8 and _are_bytes(images):
        images = images.astype(np.uint8)
    elif np.issubdtype(images.dtype, np.floating):
        images = _to_bytes(what, images)
    elif images.dtype != np.uint8:
        hint = f"convert them with {call_for_bytes(images)}"
        raise DataError(f"{what} is {images.dtype}", "numbers in 0 .. 255, or floating ones in 0 .. 1", hint)
    return np.ascontiguousarray(np.broadcast_to(images, (*images.shape[:3], 3))), note


def _are_bytes(images: Array) -> bool:
    """Whether numbers of another type are whole ones in 0 .. 255, of which some are above 1."""
    if images.dtype.kind not in "iuf" or not (images.min() >= 0 and 1 < images.max() <= 255):  # NaN fails this too
        return False
    return images.dtype.kind != "f" or bool((images == np.rint(images)).all())


def _to_bytes(what: str, images: Array) -> Array:
    """round(255 x) of floating numbers in 0 .. 1."""
    low, high = images.min(), images.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError(f"{what} has numbers that are not finite", "numbers in 0 .. 1", "replace them")
    if low < 0 or high > 1:
        hint = "scale them"
        if low >= 0 and 2 < high <= 255:
            hint = "divide them by 255: images / 255"
        elif low >= -1 and high <= 1:
            hint = "scale them with (images + 1) / 2"
        raise DataError(f"{what} has numbers from {low} to {high}", "0 .. 1 for floating numbers", hint)
    images = images * np.float32(255)
    return np.asarray(np.rint(images, out=images).astype(np.uint8))


def _check_pairs(where: str, arrays: dict[str, Array], images: dict[str, Array]) -> None:
    """Train and test must be of one size, and both labelled or neither."""
    if "test_images" in images and images["test_images"].shape[1:] != images["images"].shape[1:]:
        train, test = ("x".join(map(str, images[key].shape[1:3])) for key in ("images", "test_images"))
        raise DataError(f"{where}: images are {train}, test_images {test}", "one size", "resize them")
    if "test_labels" in arrays and "test_images" not in arrays:
        raise DataError(f"{where} has test_labels without test_images", "both or neither", "add the images")
    if "test_images" in arrays and ("labels" in arrays) != ("test_labels" in arrays):
        here, gone = ("labels", "test_labels") if "labels" in arrays else ("test_labels", "labels")
        raise DataError(f"{where} has {here} without {gone}", "both or neither beside test_images", f"add {gone}")


def _flat(labels: Array) -> Array:
    """Labels as people have them: a column, a row of 0 with one 1 an image, or whole floating numbers become ``(sample,)``."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    numbers = labels.dtype.kind in "iufb" and labels.size > 0
    if numbers and labels.ndim == 2 and np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all():
        return np.asarray(labels.argmax(axis=1))
    if numbers and labels.dtype.kind == "f" and (labels == np.rint(labels)).all() and np.abs(labels).max() < 2**53:
        return labels.astype(np.int64)
    return labels


def _labels(where: str, arrays: dict[str, Array]) -> tuple[dict[str, Array], tuple[str, ...]]:
    """The labels as 0, 1, ... in the order of their values, and those values as names."""
    found = {key: _flat(arrays[key]) for key in ("labels", "test_labels") if key in arrays}
    for key, labels in found.items():
        count = len(arrays[key.replace("labels", "images")])
        if labels.shape != (count,):
            raise DataError(
                f"{where}: {key} has the shape {labels.shape}", f"({count},), one an image", "correct the file"
            )
        if not np.issubdtype(labels.dtype, np.integer):
            hint = "number them, for instance with np.unique(labels, return_inverse=True)[1]"
            raise DataError(f"{where}: {key} is {labels.dtype}", "whole numbers", hint)
    if not found:
        return {}, ()
    values = np.unique(found["labels"])
    if len(values) < 2:
        hint = "add images of other kinds, or leave the labels out"
        raise DataError(f"{where}: every label is {values[0]}", "at least two classes for the read-out", hint)
    unknown = np.setdiff1d(found.get("test_labels", values), values)
    if len(unknown):
        actual = f"{where}: the test label {unknown[0]} has no training image"
        raise DataError(actual, "test labels that are among the training labels", "add training images of that kind")
    indices: dict[str, Array] = {key: np.searchsorted(values, labels).astype(np.int64) for key, labels in found.items()}
    return indices, tuple(str(value) for value in values)
