"""Images from one NumPy archive, ``FILE.npz``, and the split of any set that brings no test images of its own."""

import difflib
import zipfile
from pathlib import Path

import numpy as np

from neurosim.data.dataset import Dataset
from neurosim.errors import DataError

KEYS = ("images", "labels", "test_images", "test_labels")
TEST_SHARE = 0.2
_SEED, _STREAM = 0, 0x5B117  # the split is the same for every run, whatever its own seed


def load(path: Path, name: str | None = None) -> Dataset:
    """Read ``images``, and where they are there ``labels``, ``test_images`` and ``test_labels``.

    Args:
        path: a file written by ``numpy.savez``. Images are ``(sample, row, column, channel)`` with 3 channels, or 1, or
            ``(sample, row, column)``, grey: grey ones get three equal channels. They are uint8, or floating numbers in
            0 .. 1. Labels are whole numbers ``(sample,)``, any values: ``classes`` are those values, in order.
        name: of the data set; the path where None.

    Returns:
        The images in the file's order. Without ``test_images``, one in five, drawn with the seed 0, is a test image:
        of every kind alike where there are labels (see `divide`).

    Raises:
        DataError: a file that is not such an archive, or arrays that cannot be used.
    """
    path = Path(path)
    arrays = _read(path)
    images = {key: _images(path, key, arrays[key]) for key in ("images", "test_images") if key in arrays}
    _check_pairs(path, arrays, images)
    labels, classes = _labels(path, arrays)
    name = str(path) if name is None else name
    if "test_images" in images:
        return Dataset(
            name, images["images"], labels.get("labels"), images["test_images"], labels.get("test_labels"), classes
        )
    train, test = divide(str(path), len(images["images"]), labels.get("labels"))
    parts = [None if (whole := labels.get("labels")) is None else whole[part] for part in (train, test)]
    return Dataset(name, images["images"][train], parts[0], images["images"][test], parts[1], classes)


def divide(name: str, count: int, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
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
        met = f"{name} has {count} image{'s'[: count != 1]}, no two of one kind"
        raise DataError(met, "at least two, to keep some for the test", "add images, or test images of their own")
    return np.flatnonzero(~test), np.flatnonzero(test)


def _read(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise DataError(f"no file {path}", "a NumPy archive", "check the path")
    try:
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                met = f"{path} is no NumPy archive, or is cut short"
                raise DataError(met, "a file written by numpy.savez", "write it anew")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                _check_keys(path, archive.files)
                arrays = {key: archive[key] for key in archive.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("a member is no array")
        return arrays
    except DataError:
        raise
    except Exception as error:  # a damaged archive may fail in any way at all
        said = " ".join(str(error).split()) or type(error).__name__
        expected = "plain arrays written by numpy.savez"
        raise DataError(f"{path} cannot be read ({said})", expected, "write it anew") from None


def _check_keys(path: Path, keys: list[str]) -> None:
    for key in keys:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            mend = f"name it {near[0]}, or leave it out" if near else "leave it out"
            raise DataError(f"{path} holds an array {key!r}", f"{', '.join(KEYS)} alone", mend)
    if "images" not in keys:
        raise DataError(f"{path} holds no array 'images'", "the training images under that name", "write it anew")


def _images(path: Path, key: str, images: np.ndarray) -> np.ndarray:
    """uint8 ``(sample, row, column, 3)``."""
    what = f"{path}: {key}"
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        planes = images.ndim == 4 and images.shape[1] in (1, 3)
        mend = "move the channels last with images.transpose(0, 2, 3, 1)" if planes else "reshape them"
        raise DataError(f"{what} has the shape {images.shape}", "(sample, row, column, channel), 1 or 3 channels", mend)
    if images.size == 0:
        raise DataError(f"{what} is empty, shape {images.shape}", "one image or more", "write it anew")
    if np.issubdtype(images.dtype, np.floating):
        images = _to_bytes(what, images)
    elif images.dtype != np.uint8:
        mend = "convert them with images.astype(np.uint8)"
        raise DataError(f"{what} is {images.dtype}", "uint8, or floating numbers in 0 .. 1", mend)
    return np.ascontiguousarray(np.broadcast_to(images, (*images.shape[:3], 3)))


def _to_bytes(what: str, images: np.ndarray) -> np.ndarray:
    """round(255 x) of floating numbers in 0 .. 1."""
    low, high = images.min(), images.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError(f"{what} has numbers that are not finite", "numbers in 0 .. 1", "replace them")
    if low < 0 or high > 1:
        mend = "divide them by 255" if low >= 0 and 2 < high <= 255 else "scale them"
        raise DataError(f"{what} has numbers from {low} to {high}", "0 .. 1 for floating numbers", mend)
    images = images * np.float32(255)
    return np.rint(images, out=images).astype(np.uint8)


def _check_pairs(path: Path, arrays: dict, images: dict) -> None:
    """Train and test must be of one size, and both labelled or neither."""
    if "test_images" in images and images["test_images"].shape[1:] != images["images"].shape[1:]:
        train, test = ("x".join(map(str, images[key].shape[1:3])) for key in ("images", "test_images"))
        raise DataError(f"{path}: images are {train}, test_images {test}", "one size", "bring them to one size")
    if "test_labels" in arrays and "test_images" not in arrays:
        raise DataError(f"{path} has test_labels without test_images", "both or neither", "add the images")
    if "test_images" in arrays and ("labels" in arrays) != ("test_labels" in arrays):
        here, gone = ("labels", "test_labels") if "labels" in arrays else ("test_labels", "labels")
        raise DataError(f"{path} has {here} without {gone}", "both or neither beside test_images", f"add {gone}")


def _labels(path: Path, arrays: dict) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The labels as 0, 1, ... in the order of their values, and those values as names."""
    found = {key: arrays[key] for key in ("labels", "test_labels") if key in arrays}
    for key, labels in found.items():
        count = len(arrays[key.replace("labels", "images")])
        if labels.shape != (count,):
            raise DataError(f"{path}: {key} has the shape {labels.shape}", f"({count},), one an image", "mend the file")
        if not np.issubdtype(labels.dtype, np.integer):
            mend = "number them, for instance with np.unique(labels, return_inverse=True)[1]"
            raise DataError(f"{path}: {key} is {labels.dtype}", "whole numbers", mend)
    if not found:
        return {}, ()
    values = np.unique(found["labels"])
    if len(values) < 2:
        mend = "add images of other kinds, or leave the labels out"
        raise DataError(f"{path}: every label is {values[0]}", "at least two classes for the read-out", mend)
    unknown = np.setdiff1d(found.get("test_labels", values), values)
    if len(unknown):
        met = f"{path}: the test label {unknown[0]} has no training image"
        raise DataError(met, "test labels that are among the training labels", "add training images of that kind")
    indices = {key: np.searchsorted(values, labels).astype(np.int64) for key, labels in found.items()}
    return indices, tuple(str(value) for value in values)
