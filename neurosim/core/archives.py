"""Arrays in files: .npz, .npy and .safetensors, read so that what a file declares must be what it holds."""

from __future__ import annotations

import math
import struct
import warnings
import zipfile
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np

from neurosim.core.records import check, parsed
from neurosim.core.typing import Array

KINDS = "?biufSU"  # plain values: numbers, truths, texts
HEAD = 1 << 20  # bytes of the head of a .safetensors file
_LOCAL = struct.Struct(
    "<4s22x2H"
)  # the head of a member of a zip archive: a mark, lengths of its name and of what follows
_DESCRIBED, _LARGEST_DESCRIPTION = 8, 24  # a flag: sizes stand behind the member, in at most so many bytes
_TENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"} | {
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}


class Head(NamedTuple):
    """What stands before the values of an array."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Literal["C", "F"]


def npz(file: BinaryIO, most: int) -> dict[str, Array]:
    """The arrays of a NumPy archive, by name.

    Args:
        file: open.
        most: bytes that all of them may take.

    Raises:
        Exception: any, of a damaged one.
    """
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = [member.filename.removesuffix(".npy") for member in members]
        if len(set(names)) < len(names):
            raise ValueError("a name twice")
        total = sum(member.file_size for member in members)
        if total > most:
            raise ValueError(f"it declares {total:,} bytes, more than {most:,}")
        _check_order(file, archive, members)
        found = {}
        for name, member in zip(names, members, strict=True):
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{name} is packed in a way that NumPy does not use")
            with archive.open(member) as part:
                found[name] = _array(part, member.file_size, name)  # type: ignore[arg-type]
        return found


def _check_order(file: BinaryIO, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    """Hold that members fill the file up to its directory: a damaged directory would leave some out."""
    low = high = 0  # where the next one may begin
    for member in sorted(members, key=lambda member: member.header_offset):
        file.seek(max(member.header_offset, 0))
        mark, *lengths = _LOCAL.unpack(file.read(_LOCAL.size))
        if mark != b"PK\3\4" or not low <= member.header_offset <= high:
            raise ValueError("its directory does not name all that is in it")
        low = member.header_offset + _LOCAL.size + sum(lengths) + member.compress_size
        high = low + (_LARGEST_DESCRIPTION if member.flag_bits & _DESCRIBED else 0)
    if not low <= archive.start_dir <= high:
        raise ValueError("its directory does not name all that is in it")


def npy_head(file: BinaryIO, size: int) -> Head:
    """The head of an array whose values follow up to the end.

    Args:
        file: at its beginning; afterwards where the values begin.
        size: bytes of it in all.

    Raises:
        ValueError: it is no such file, or has more or fewer values than it declares.
    """
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"format {version[0]}.{version[1]} of NumPy files")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # heads that need repair are none
        shape, by_column, dtype = readers[version](file)
    if dtype.kind not in KINDS or dtype.hasobject or dtype.names or dtype.subdtype:
        raise ValueError(f"values of type {str(dtype)[:40]}, not plain numbers")
    if math.prod(shape) * dtype.itemsize != size - file.tell():
        raise ValueError(f"its head declares {shape} {dtype}, which is not what it holds")
    return Head(dtype, shape, "F" if by_column else "C")


def _array(part: BinaryIO, size: int, name: str) -> Array:
    """One array, read into its own memory; reading its end checks the archive's sum."""
    try:
        head = npy_head(part, size)
    except ValueError as problem:
        raise ValueError(f"{name}: {problem}") from None
    flat = np.empty(math.prod(head.shape), head.dtype)
    _fill(part, flat)
    if part.read(1):
        raise ValueError(f"{name} has more than it declares")
    return _native(flat).reshape(head.shape, order=head.order)


def _fill(part: BinaryIO, flat: Array) -> None:
    """Read the values of an array.

    Raises:
        ValueError: there are fewer.
    """
    if not flat.nbytes:
        return
    into, place = memoryview(flat.view(np.uint8).data), 0
    while place < len(into):
        block = part.read(min(len(into) - place, 1 << 20))
        if not block:
            raise ValueError("cut short")
        into[place : place + len(block)] = block
        place += len(block)


def _native(array: Array) -> Array:
    """With the bytes of a number in this machine's order."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def safetensors(file: BinaryIO, size: int) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays of a .safetensors file, by name, and the texts beside them.

    Layout as its authors publish it: 8 bytes with the length of the head, the head as JSON, the values.

    Raises:
        Exception: any, of a damaged one.
    """
    (length,) = struct.unpack("<Q", file.read(8))
    if length > min(HEAD, size - 8):
        raise ValueError(f"a head of {length:,} bytes")
    head = check(parsed(file.read(length).decode("utf-8")), dict)
    about = check(head.pop("__metadata__", {}), dict)
    data, found, place = file.read(), {}, 0
    tensor = {"dtype": str, "shape": [int], "data_offsets": [int]}
    for name, each in sorted(head.items(), key=lambda item: check(item[1], tensor)["data_offsets"]):
        kind, shape, (start, stop) = np.dtype(_TENSORS[each["dtype"]]), each["shape"], each["data_offsets"]
        if start != place or min(shape, default=1) < 0 or stop - start != math.prod(shape) * kind.itemsize:
            raise ValueError(f"{name} is not where its head says")
        found[name] = _native(np.frombuffer(data[start:stop], kind).reshape(shape))
        place = stop
    if place != len(data):
        raise ValueError("more or fewer values than its head says")
    return found, {str(name): check(text, str) for name, text in about.items()}
