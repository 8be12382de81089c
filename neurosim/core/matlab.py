"""Arrays of numbers in MATLAB files of format 5 (MAT-File Format, The MathWorks, 2024), packed or not.

Read here and not by SciPy, whose compiled reader of these files ends the process on some damaged ones.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Collection, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from neurosim.core.typing import Array

_HEAD = 128
_MATRIX, _PACKED = 14, 15
_COMPLEX = 0x08
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_NAMED = 4096  # bytes in which kind, shape and name of a variable stand


class Element(NamedTuple):
    """One part of a file: what it is, and its bytes."""

    kind: int
    data: memoryview


def arrays(file: BinaryIO, size: int, wanted: Collection[str], most: int) -> dict[str, Array]:
    """Variables that are arrays of numbers, by name.

    Args:
        file: open, at its beginning.
        size: bytes of it.
        wanted: names of variables; others are passed over.
        most: bytes that one may unpack to.

    Raises:
        ValueError: it is no such file, is cut, or has another kind of variable under a name that is wanted.
    """
    head = file.read(_HEAD)
    order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
    if len(head) < _HEAD or order is None or struct.unpack(f"{order}H", head[124:126])[0] != 0x0100:
        raise ValueError("no MATLAB file of format 5")
    found: dict[str, Array] = {}
    while file.tell() < size:
        tag = file.read(8)
        if len(tag) < 8:
            raise ValueError("cut short")
        kind, length = struct.unpack(f"{order}2I", tag)
        if length > size - file.tell():
            raise ValueError("cut short")
        data = file.read(length)
        if kind == _PACKED:
            kind, data = _unpacked(data, wanted, order, most)
        if kind == _MATRIX and (name := _name(memoryview(data), order)) in wanted:
            found[name] = _array(memoryview(data), order)
    return found


def _unpacked(data: bytes, wanted: Collection[str], order: str, most: int) -> tuple[int, bytes]:
    """The element in a packed one; of what is not wanted only its beginning."""
    start = zlib.decompressobj().decompress(data, 8 + _NAMED)
    if len(start) < 8:
        raise ValueError("cut short")
    kind, length = struct.unpack(f"{order}2I", start[:8])
    if kind != _MATRIX or _name(memoryview(start)[8:], order) not in wanted:
        return 0, b""
    if length > most:
        raise ValueError(f"it declares {length:,} bytes, more than {most:,}")
    unpacker = zlib.decompressobj()
    whole = unpacker.decompress(data, 8 + length)
    if len(whole) < 8 + length:
        raise ValueError("cut short")
    unpacker.decompress(unpacker.unconsumed_tail, 1)  # to its end, where its sum is
    if not unpacker.eof:
        raise ValueError("more than it declares")
    return kind, whole[8:]


def _parts(data: memoryview, order: str) -> Iterator[Element]:
    """The elements of a variable; the last may be cut, where its beginning alone was unpacked."""
    place = 0
    while place + 8 <= len(data):
        kind, length = struct.unpack(f"{order}2I", data[place : place + 8])
        if kind >> 16:  # a small one: its length stands beside its kind
            yield Element(kind & 0xFFFF, data[place + 4 : place + 4 + min(kind >> 16, 4)])
            place += 8
        else:
            yield Element(kind, data[place + 8 : place + 8 + length])
            place += 8 + length + -length % 8


def _name(data: memoryview, order: str) -> str:
    """Of a variable; empty where none can be read."""
    parts = _parts(data, order)
    _flags, _shape, name = next(parts, None), next(parts, None), next(parts, None)
    return "" if name is None else bytes(name.data[:64]).decode("latin1")


def _array(data: memoryview, order: str) -> Array:
    """The numbers of a variable, of the type that it was saved from."""
    parts = list(_parts(data, order))
    if len(parts) < 4:
        raise ValueError("cut short")
    flags, shape, _name, real = parts[:4]
    (word,) = struct.unpack(f"{order}I", flags.data[:4])
    kind, stored = _CLASSES.get(word & 0xFF), _STORED.get(real.kind)
    if kind is None or stored is None or word >> 8 & _COMPLEX:
        raise ValueError("a variable that is no array of numbers")
    sizes = struct.unpack(f"{order}{len(shape.data) // 4}i", shape.data)
    if min(sizes, default=-1) < 0 or math.prod(sizes) * np.dtype(stored).itemsize != len(real.data):
        raise ValueError(f"{sizes} values are declared, which is not what there is")
    return np.frombuffer(real.data, np.dtype(order + stored)).astype(kind).reshape(sizes, order="F")
