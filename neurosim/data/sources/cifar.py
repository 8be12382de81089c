"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009) from their own files, in the binary or in the python layout.

Binary: one row an image, its label bytes (CIFAR-10: one; CIFAR-100: coarse, then fine), then 3072 bytes: the red, the
green and the blue plane of 32 x 32, row by row. Python: a pickled dictionary with the same bytes, read by an unpickler
that builds nothing but that (`neurosim.data.sources.unpickle`).
"""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurosim.data.dataset import Dataset
from neurosim.data.sources.unpickle import unpickle
from neurosim.errors import DataError

SIDE, CHANNELS = 32, 3
PIXELS = SIDE * SIDE * CHANNELS


@dataclass(frozen=True)
class Layout:
    """Where one of the two sets keeps what.

    Args:
        name: ``cifar10`` or ``cifar100``.
        binary, python: the folders' names in the two layouts.
        archives: the names of the archives they come in.
        train, test: the files, without the binary layout's ``.bin``.
        train_rows, test_rows: images in each such file.
        limits: how many labels each label byte of a row tells apart; the last one is the label used.
        labels: the key of that label in the python layout.
        names: (binary file, python file, key in it) of the class names.
        classes: the names where no file tells them.
    """

    name: str
    binary: str
    python: str
    archives: tuple[str, ...]
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
    def files(self) -> dict[str, int]:
        """Every file of images, without ``.bin``, and how many images it holds."""
        return dict.fromkeys(self.train, self.train_rows) | {self.test: self.test_rows}


LAYOUTS = {
    "cifar10": Layout(
        name="cifar10",
        binary="cifar-10-batches-bin",
        python="cifar-10-batches-py",
        archives=("cifar-10-binary.tar.gz", "cifar-10-python.tar.gz"),
        train=tuple(f"data_batch_{number}" for number in range(1, 6)),
        test="test_batch",
        train_rows=10_000,
        test_rows=10_000,
        limits=(10,),
        labels="labels",
        names=("batches.meta.txt", "batches.meta", "label_names"),
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    ),
    "cifar100": Layout(
        name="cifar100",
        binary="cifar-100-binary",
        python="cifar-100-python",
        archives=("cifar-100-binary.tar.gz", "cifar-100-python.tar.gz"),
        train=("train",),
        test="test",
        train_rows=50_000,
        test_rows=10_000,
        limits=(20, 100),
        labels="fine_labels",
        names=("fine_label_names.txt", "meta", "fine_label_names"),
        classes=tuple(str(number) for number in range(100)),
    ),
}


def load(name: str, data_dir: Path) -> Dataset:
    """Read ``cifar10`` or ``cifar100`` (its 100 fine labels) from ``data_dir``.

    Args:
        name: ``cifar10`` or ``cifar100``.
        data_dir: the folder of the files, or the folder that folder is in. The binary layout is read where both are.

    Returns:
        50,000 training and 10,000 test images, uint8 ``(sample, row, column, channel)``, in the order of the files.

    Raises:
        DataError: the files are not there, not extracted, truncated, mislabelled or something else.
    """
    layout, data_dir = LAYOUTS[name], Path(data_dir)
    folder = find(layout, data_dir)
    if folder is None:
        raise _absent(layout, data_dir)
    binary = _holds(layout, folder, ".bin")
    read = _read_binary if binary else _read_python
    images = np.empty((len(layout.train) * layout.train_rows, SIDE, SIDE, CHANNELS), np.uint8)
    labels = np.empty(len(images), np.int64)
    for number, file in enumerate(layout.train):
        part = slice(number * layout.train_rows, (number + 1) * layout.train_rows)
        images[part], labels[part] = read(layout, folder, file)
    test_images, test_labels = read(layout, folder, layout.test)
    classes = _classes(layout, folder, binary)
    return Dataset(name, images, labels, np.ascontiguousarray(test_images), test_labels, classes)


def find(layout: Layout, data_dir: Path) -> Path | None:
    """The folder in (or at) ``data_dir`` that holds files of the set, whole or not; None where there is none."""
    for inside, suffix in ((layout.binary, ".bin"), ("", ".bin"), (layout.python, ""), ("", "")):
        if _holds(layout, data_dir / inside, suffix):
            return data_dir / inside
    return None


def complete(layout: Layout, folder: Path) -> bool:
    """Whether ``folder`` has every file of the binary layout at its right size."""
    paths = {folder / f"{file}.bin": rows * layout.row_bytes for file, rows in layout.files.items()}
    return all(os.path.isfile(path) and os.path.getsize(path) == size for path, size in paths.items())


def wanted(layout: Layout) -> dict[str, str]:
    """Name in the archive -> name on the disk of every file that is read."""
    files = {f"{layout.binary}/{file}.bin": f"{file}.bin" for file in layout.files}
    return files | {f"{layout.binary}/{layout.names[0]}": layout.names[0]}


def _holds(layout: Layout, folder: Path, suffix: str) -> bool:
    return any(os.path.isfile(folder / f"{file}{suffix}") for file in layout.files)


def _absent(layout: Layout, data_dir: Path) -> DataError:
    for archive in layout.archives:
        path = data_dir / archive
        if os.path.isfile(path):
            where, what = shlex.quote(str(data_dir)), shlex.quote(str(path))
            return DataError(f"{path} is not extracted", "its files", f"extract it with `tar -xzf {what} -C {where}`")
    return DataError(
        f"no {layout.name} in {data_dir}",
        f"the folder {layout.binary} or {layout.python} in it",
        f"fetch it with `{_command(layout, data_dir)}`, or name another folder with --data-dir",
    )


def _command(layout: Layout, data_dir: Path) -> str:
    return f"neurosim data fetch {layout.name} --data-dir {shlex.quote(str(data_dir))}"


def _again(layout: Layout, folder: Path) -> str:
    parent = folder.parent if folder.name in (layout.binary, layout.python) else folder
    return f"remove it and fetch it again with `{_command(layout, parent)}`"


def _bytes(layout: Layout, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        mend = _again(layout, path.parent)
        raise DataError(f"{path} cannot be read ({error.strerror})", f"a file of {layout.name}", mend) from None


def _read_binary(layout: Layout, folder: Path, file: str) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(sample, row, column, channel)`` and labels of one binary file."""
    path, count = folder / f"{file}.bin", layout.files[file]
    size = os.path.getsize(path) if os.path.isfile(path) else None
    if size != count * layout.row_bytes:
        raise DataError(
            f"{path} is missing" if size is None else f"{path} has {size} bytes",
            f"{count * layout.row_bytes} bytes ({count} images of {layout.row_bytes})",
            _again(layout, folder),
        )
    rows = np.frombuffer(_bytes(layout, path), np.uint8).reshape(count, layout.row_bytes)
    for column, limit in enumerate(layout.limits):
        _check_labels(layout, path, rows[:, column], limit)
    return _pixels(rows[:, len(layout.limits) :]), rows[:, len(layout.limits) - 1].astype(np.int64)


def _read_python(layout: Layout, folder: Path, file: str) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(sample, row, column, channel)`` and labels of one pickled file."""
    path, count = folder / file, layout.files[file]
    batch = unpickle(_bytes(layout, path), path)
    data, labels = batch.get("data"), batch.get(layout.labels)
    if not isinstance(data, np.ndarray) or data.shape != (count, PIXELS):
        met = f"an array {data.shape}" if isinstance(data, np.ndarray) else "no array"
        raise DataError(f"{path} has {met} as data", f"one of {(count, PIXELS)}", _again(layout, folder))
    if not isinstance(labels, list) or len(labels) != count or not all(type(label) is int for label in labels):
        met = f"{len(labels)} {layout.labels}" if isinstance(labels, list) else f"no list {layout.labels}"
        raise DataError(f"{path} has {met}", f"{count} whole numbers", _again(layout, folder))
    bound = 2**62  # a pickled number has none of its own
    numbers = np.array([min(max(label, -bound), bound) for label in labels], np.int64)
    _check_labels(layout, path, numbers, layout.limits[-1])
    return _pixels(data), numbers


def _check_labels(layout: Layout, path: Path, labels: np.ndarray, limit: int) -> None:
    wrong = np.flatnonzero((labels < 0) | (labels >= limit))
    if len(wrong):
        raise DataError(
            f"{path}: image {wrong[0]} has the label {labels[wrong[0]]}",
            f"labels 0 to {limit - 1} as {layout.name} has",
            _again(layout, path.parent),
        )


def _pixels(planes: np.ndarray) -> np.ndarray:
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
        names = unpickle(data, path).get(layout.names[2])
        names = names if isinstance(names, list) else []
        names = [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names]
    if len(names) != len(layout.classes):
        mend = f"remove it (the names are known without it) or {_again(layout, folder).removeprefix('remove it and ')}"
        raise DataError(f"{path} has {len(names)} class names", f"{len(layout.classes)}", mend)
    return tuple(names)
