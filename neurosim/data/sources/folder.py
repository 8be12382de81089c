"""Pictures in folders, one folder a class: ``folder:PATH``."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps

from neurosim.core.typing import Array
from neurosim.data.dataset import Dataset
from neurosim.data.sources.base import Source
from neurosim.data.sources.npz import divide
from neurosim.errors import DataError

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
_SEED, _STREAM = 0, 0xF01DE4  # the order of the training images


class Folder(Source):
    """Pictures of one's own."""

    name = "folder:PATH"
    summary = "your pictures: PATH/CLASS/*, or PATH/{train,test}/CLASS/*"

    @staticmethod
    def claims(name: str) -> bool:
        """Whether a name is ``folder:`` and a path."""
        return name.startswith("folder:") and name != "folder:"

    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """Read the folder; arguments as `Source.load`."""
        return load(Path(os.path.expanduser(self.asked.removeprefix("folder:"))), self.asked)


def load(path: Path, name: str | None = None) -> Dataset:
    """Read ``PATH/train/CLASS/*`` and ``PATH/test/CLASS/*``, or ``PATH/CLASS/*``.

    Pictures are of one size and of the formats in `FORMATS`, recognised by their content. Grey ones become RGB; what is
    transparent becomes black, as the outside of a deformed view is. What is hidden (a name with a dot first) and what
    stands beside the class folders is not read; where there are ``train`` and ``test``, nothing beside them is.

    Args:
        path: the folder.
        name: of the data set; ``folder:PATH`` where None.

    Returns:
        uint8 images ``(sample, row, column, channel)`` and the classes' names in alphabetical order. Without ``train``
        and ``test`` one picture in five of each class, drawn with the seed 0, is a test image. Training images are
        shuffled, always alike, so that the first few are of all classes.

    Raises:
        DataError: no such folder, fewer than two classes, a class without pictures, a file that is no picture, or
            pictures of two sizes.
    """
    path = Path(path)
    splits = [split for split in ("train", "test") if split in _folders(path)]
    name = f"folder:{path}" if name is None else name
    if len(splits) == 1:
        other = "test" if splits[0] == "train" else "train"
        hint = f"add {path / other}, or name {path / splits[0]} itself to have it divided"
        raise DataError(f"{path} has a folder {splits[0]} but none {other}", "both, or class folders alone", hint)
    return _two_folders(path, name) if splits else _one_folder(path, name)


def _one_folder(path: Path, name: str) -> Dataset:
    files, labels, classes = _files(path)
    images = _read(files)
    train, test = divide(str(path), len(files), labels)
    train = train[_order(len(train))]
    named = [_names(path, [files[index] for index in part]) for part in (train, test)]
    parts = images[train], labels[train], images[test], labels[test]
    return Dataset(name, *parts, classes, train_names=named[0], test_names=named[1])


def _two_folders(path: Path, name: str) -> Dataset:
    (files, labels, classes), (test_files, test_labels, test_classes) = _files(path / "train"), _files(path / "test")
    for one, another, where in ((classes, test_classes, "test"), (test_classes, classes, "train")):
        missing = sorted(set(one) - set(another))
        if missing:
            raise DataError(f"{path / where} has no class {missing[0]}", "the same classes in train and test", "add it")
    order = _order(len(files))
    files = [files[index] for index in order]
    images, names = _read(files + test_files), _names(path, files)
    parts = images[: len(files)], labels[order], images[len(files) :], test_labels
    return Dataset(name, *parts, classes, train_names=names, test_names=_names(path, test_files))


def _names(path: Path, files: list[Path]) -> tuple[str, ...]:
    """Every file's path below the folder, as it is written on any system."""
    return tuple(file.relative_to(path).as_posix() for file in files)


def _order(count: int) -> Array:
    return np.random.default_rng([_SEED, _STREAM]).permutation(count)


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, by name, without what is hidden."""
    try:
        return sorted(folder / name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}", "a folder of pictures", "check the path") from None


def _folders(folder: Path) -> dict[str, Path]:
    return {entry.name: entry for entry in _entries(folder) if os.path.isdir(entry)}


def _files(root: Path) -> tuple[list[Path], Array, tuple[str, ...]]:
    """Every picture's path, its label, and the classes."""
    folders = _folders(root)
    if len(folders) < 2:
        actual = f"{root} has {f'one class, {next(iter(folders))!r}' if folders else 'no class folders'}"
        raise DataError(actual, "at least two classes for the read-out", "put the pictures in a folder for each class")
    files, labels = [], []
    for label, folder in enumerate(folders.values()):
        inside = _entries(folder)
        if not inside:
            raise DataError(f"{folder} is empty", "one picture of the class or more", "add some, or remove the folder")
        for file in inside:
            if os.path.isdir(file):
                raise DataError(f"{file} is a folder in a class", "pictures alone", "move it out of the class")
        files += inside
        labels += [label] * len(inside)
    return files, np.array(labels, np.int64), tuple(folders)


def _read(files: list[Path]) -> Array:
    """The pictures, uint8 ``(sample, row, column, channel)``."""
    first = _quietly(files[0], files[0], None)
    images = _memory(files, first.shape)
    images[0] = first
    for number, file in enumerate(files[1:], 1):
        images[number] = _quietly(file, files[0], (first.shape[0], first.shape[1]))
    return images


def _quietly(file: Path, first: Path, size: tuple[int, int] | None) -> Array:
    """As `_picture`, without Pillow's remarks on odd but readable files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _picture(file, first, size)


def _memory(files: list[Path], shape: tuple[int, ...]) -> Array:
    try:
        return np.empty((len(files), *shape), np.uint8)
    except MemoryError:
        gigabytes = len(files) * shape[0] * shape[1] * shape[2] / 1e9
        actual = f"{len(files)} pictures of {shape[1]} x {shape[0]} take {gigabytes:.1f} GB"
        raise DataError(actual, "as much memory", "make the pictures smaller") from None


def _picture(file: Path, first: Path, size: tuple[int, int] | None) -> Array:
    try:
        with Image.open(file, formats=FORMATS) as opened:
            _check_kind(file, opened)
            image = ImageOps.exif_transpose(opened)
            _check_size(file, image, first, size)
            return np.asarray(_colour(image))
    except DataError:
        raise
    except Exception as error:  # a damaged picture may fail in any way at all
        cause = error.strerror if isinstance(error, OSError) and error.strerror else "it cannot be decoded"
        formats = ", ".join(FORMATS)
        raise DataError(f"{file} is no picture ({cause})", f"one of {formats}", "move it out, or replace it") from None


def _check_kind(file: Path, image: ImageFile.ImageFile) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise DataError(f"{file} has {frames} frames", "one still picture a file", "save one of them in its place")
    if image.mode.startswith(("I", "F")) or any(_wide(*tile) for tile in image.tile):
        actual = f"{file} has more than 8 bits a channel"
        raise DataError(actual, "8 bits a channel", "convert it, so that you choose how it is scaled")


def _wide(codec: str, extents: tuple[int, ...] | None, offset: int, arguments: object) -> bool:
    """Whether Pillow would cut the values down without saying so: 16-bit colour pictures open as plain RGB."""
    arguments = arguments if isinstance(arguments, tuple) else (arguments,)
    largest = max((one for one in arguments if isinstance(one, int)), default=0)
    return (codec == "ppm" and largest > 255) or any(";16" in str(one) for one in arguments)


def _check_size(file: Path, image: Image.Image, first: Path, size: tuple[int, int] | None) -> None:
    if size is not None and (image.height, image.width) != size:
        raise DataError(
            f"{file} is {image.width} x {image.height} and {first} is {size[1]} x {size[0]}",
            "pictures of one size",
            f"resize them, for instance with `mogrify -resize '{size[1]}x{size[0]}!'` on every file",
        )


def _colour(image: Image.Image) -> Image.Image:
    """RGB, on black."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    image = image.convert("RGBA")
    black = Image.new("RGBA", image.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, image).convert("RGB")
