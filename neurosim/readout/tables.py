"""Files of features, written as they come, so that memory does not grow with them: .npz, .npy, .csv, .parquet."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import numpy as np

from neurosim.errors import DataError

if TYPE_CHECKING:
    from neurosim.core.typing import Array

ENDINGS = (".npz", ".npy", ".csv", ".parquet")
_DIGITS = {"float16": 5, "float32": 9}  # so many give every number back


@dataclass(frozen=True)
class Rows:
    """What is known of every picture beside its features.

    Args:
        part: ``train``, ``test`` or ``readout``, of each.
        names: of the files; None: they have none.
        labels: int64, -1 where a picture has none; None: no picture has one.
        classes: the labels' names.
    """

    part: Array
    names: Array | None = None
    labels: Array | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.part)

    def columns(self) -> dict[str, Array]:
        """Name -> one entry a picture, of those that there are."""
        found = {"name": self.names, "part": self.part, "label": self.labels}
        return {name: column for name, column in found.items() if column is not None}


@dataclass(frozen=True)
class Columns:
    """The arrays that a file will hold.

    Args:
        names: one an array.
        widths: features of a picture, of each.
        dtype: of all.
        folder: where files may lie that are gone in the end.
    """

    names: Sequence[str]
    widths: Sequence[int]
    dtype: str
    folder: Path


def check(path: Path, arrays: int) -> None:
    """Refuse a file that cannot hold so many arrays, before anything is computed.

    Raises:
        DataError: another ending, an array too many, or a library that is missing.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise DataError(
            f"{path} ends in {ending or 'nothing'}", f"one of {', '.join(ENDINGS)}", "choose another name for it"
        )
    if ending == ".npy" and arrays > 1:
        raise DataError(
            f"{arrays} layers for {path}", "one array in a .npy file", "take .npz, or write layer='together'"
        )
    if ending == ".parquet":
        _arrow()


def write(file: BinaryIO, ending: str, columns: Columns, rows: Rows, groups: Iterable[list[Array]]) -> None:
    """Write features into an open file as they come.

    Args:
        file: binary, at its beginning.
        ending: one of `ENDINGS`.
        columns: names, widths, type and folder.
        rows: of the pictures, all of them.
        groups: the features of some pictures after the other, an array a column, of the columns' type.
    """
    _WRITERS[ending](file, columns, rows, groups)


def _header(file: IO[bytes], dtype: str, shape: tuple[int, ...]) -> None:
    """The head of a .npy file whose rows follow as they come."""
    described = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)


def _npy(file: BinaryIO, columns: Columns, rows: Rows, groups: Iterable[list[Array]]) -> None:
    _header(file, columns.dtype, (len(rows), columns.widths[0]))
    for (group,) in groups:
        file.write(group.tobytes())


def _npz(file: BinaryIO, columns: Columns, rows: Rows, groups: Iterable[list[Array]]) -> None:
    """One array goes straight into the archive, of several each into a file aside first: an archive has one open member."""
    with zipfile.ZipFile(file, "w") as archive:
        if len(columns.names) == 1:
            with _member(archive, columns.names[0]) as member:
                _npy(member, columns, rows, groups)
        else:
            _aside(archive, columns, rows, groups)
        about = {"names": rows.names, "labels": rows.labels, "part": rows.part}
        about["classes"] = np.array(rows.classes) if rows.classes else None
        for name, array in about.items():
            if array is not None:
                with _member(archive, name) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    """An open file in the archive; its date is always the same, and so are the archive's bytes."""
    return archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True)


def _aside(archive: zipfile.ZipFile, columns: Columns, rows: Rows, groups: Iterable[list[Array]]) -> None:
    files = [tempfile.TemporaryFile(dir=columns.folder) for _ in columns.names]  # noqa: SIM115 - closed below
    try:
        for file, width in zip(files, columns.widths, strict=True):
            _header(file, columns.dtype, (len(rows), width))
        for group in groups:
            for file, array in zip(files, group, strict=True):
                file.write(array.tobytes())
        for file, name in zip(files, columns.names, strict=True):
            file.seek(0)
            with _member(archive, name) as member:
                shutil.copyfileobj(file, member, 1 << 20)
    finally:
        for file in files:
            file.close()


def _numbered(rows: Rows, groups: Iterable[list[Array]]) -> Iterator[tuple[dict[str, Array], list[Array]]]:
    """Every group with what is known of its pictures."""
    start, about = 0, rows.columns()
    for group in groups:
        stop = start + len(group[0])
        yield {name: column[start:stop] for name, column in about.items()}, group
        start = stop


def _csv(file: BinaryIO, columns: Columns, rows: Rows, groups: Iterable[list[Array]]) -> None:
    """A line a picture: what is known of it, then its features, ``features_0`` ..., with as many digits as they have."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    lines = csv.writer(text, lineterminator="\n")
    numbered = [
        f"{name}_{place}" for name, width in zip(columns.names, columns.widths, strict=True) for place in range(width)
    ]
    lines.writerow([*rows.columns(), *numbered])
    digits = f"%.{_DIGITS[columns.dtype]}g"
    for about, group in _numbered(rows, groups):
        joined = np.concatenate(group, axis=1).tolist()
        for known, numbers in zip(zip(*about.values(), strict=True), joined, strict=True):
            lines.writerow([*known, *(digits % number for number in numbers)])
    text.flush()
    text.detach()


def _parquet(file: BinaryIO, columns: Columns, rows: Rows, groups: Iterable[list[Array]]) -> None:
    """A row a picture: what is known of it, and a list of a fixed length for every array."""
    arrow = _arrow()
    lists = dict(zip(columns.names, columns.widths, strict=True))
    kinds = {name: arrow.int64() if name == "label" else arrow.string() for name in rows.columns()}
    kinds |= {
        name: arrow.list_(arrow.from_numpy_dtype(np.dtype(columns.dtype)), width) for name, width in lists.items()
    }
    schema = arrow.schema(list(kinds.items()), metadata={"classes": "\n".join(rows.classes)})
    with arrow.parquet.ParquetWriter(file, schema) as writer:
        for about, group in _numbered(rows, groups):
            made = [arrow.array(column.tolist(), kinds[name]) for name, column in about.items()]
            made += [
                arrow.FixedSizeListArray.from_arrays(arrow.array(np.ravel(array)), array.shape[1]) for array in group
            ]
            writer.write_table(arrow.table(made, schema=schema))


def _arrow() -> Any:
    """The library that writes .parquet.

    Raises:
        DataError: it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError(
            "pyarrow is not installed", "it, for .parquet", "pip install 'neurosim[parquet]', or take .npz"
        ) from None
    return pyarrow


_WRITERS = {".npy": _npy, ".npz": _npz, ".csv": _csv, ".parquet": _parquet}
