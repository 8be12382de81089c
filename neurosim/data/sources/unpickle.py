"""Pickled batches of CIFAR, read without running anything that a pickle may ask for.

A pickle is a program: it names functions, and reading it calls them. This reader answers the few names that a batch
needs with stand-ins of its own, so that not even numpy's own constructors see the file, and refuses every other name
before anything is called. Names of numpy 1 (``numpy.core``) and of numpy 2 (``numpy._core``) are known alike.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from pathlib import Path

import numpy as np

from neurosim.core.reading import why
from neurosim.core.typing import Array
from neurosim.errors import DataError


class _StandIn:
    """What a name in the file becomes. It has ``__setstate__``, so a file cannot set attributes on the class itself."""

    def __init__(self, *arguments: object):
        self.arguments = arguments

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Array(_StandIn):
    """An array: ``state`` is (version, shape, dtype, whether column by column, bytes)."""

    def value(self) -> Array:
        """The array, uint8; ValueError or TypeError where the state is not that of one."""
        if not isinstance(self.state, tuple):
            raise ValueError("an array without a state")
        _, shape, kind, by_column, data = self.state
        if not isinstance(kind, _Kind) or kind.arguments[0] not in ("u1", b"u1"):
            raise ValueError("an array that is not of unsigned bytes")
        if not isinstance(data, bytes) or math.prod(shape) != len(data) or min(shape, default=0) < 0:
            raise ValueError("an array whose bytes do not fill its shape")
        return np.frombuffer(data, np.uint8).reshape(shape, order="F" if by_column else "C")


class _Kind(_StandIn):
    """A dtype: its first argument is its code."""


class _Encoded(_StandIn):
    """How Python 3 writes bytes for Python 2: a text whose characters are the bytes."""

    def __new__(cls, text: str, encoding: object = "latin1") -> bytes:  # type: ignore[misc]
        return text.encode("latin1")


ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _StandIn,
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _Encoded,
}


HASHED = 1000  # values that the keys of a file may have in all; a batch has four keys
KEYED = {"SETITEM": 1, "SETITEMS": 1, "DICT": 0}  # operations that take keys -> where the first is among what they take


class Unpickler(pickle.Unpickler):
    """Reads dictionaries, lists, numbers, texts and byte arrays; every name but those of `ADMITTED` is refused."""

    def __init__(self, data: bytes, path: Path):
        super().__init__(io.BytesIO(data), encoding="bytes")
        self._path = path

    def find_class(self, module: str, name: str) -> type:
        """The stand-in for a name in the file.

        Raises:
            DataError: a name that no batch of CIFAR needs; nothing has been called.
        """
        if (module, name) not in ADMITTED:
            raise DataError(
                f"{self._path} asks for {f'{module}.{name}'!r}",
                "nothing but arrays of bytes and lists",
                "do not trust this file: fetch the data set again from a source you know",
            )
        return ADMITTED[module, name]


def _check_cost(data: bytes) -> None:
    """Refuse what would take much more than the file's length: of room, and of time for the keys of dictionaries.

    A file may number what it wants to name again; the reader keeps room up to the largest number, 64 GB at worst. And a key may be
    a tuple of a tuple, named twice, and so on: a few hundred bytes whose hash takes years. So what lies on the reader's stack is
    followed as a count of the values that a hash would visit.

    Raises:
        ValueError: it does.
    """
    stack: list[int | None] = []  # None: a mark
    named: dict[int, int] = {}
    hashed = 0
    for opcode, argument, _ in pickletools.genops(data):
        name = opcode.name
        if name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            number = len(named) if argument is None else int(argument)
            if number > len(data):
                raise ValueError("a numbering beyond the file's length")
            named[number] = stack[-1] or 1
            continue
        given = _taken(stack, opcode)
        costs = [each or 1 for each in given]
        if name in KEYED:
            hashed += sum(costs[KEYED[name] :: 2] if name != "SETITEM" else costs[1:2])
        elif name in ("ADDITEMS", "FROZENSET"):
            hashed += sum(costs)
        if hashed > HASHED:
            raise ValueError("more keys than any batch has")
        whole = 1 + sum(costs) if name.startswith("TUPLE") or name == "FROZENSET" else 1
        found = (
            named.get(int(argument or 0), 1)
            if name in ("GET", "BINGET", "LONG_BINGET")
            else costs[0]
            if name == "DUP"
            else whole
        )
        stack += [None if each is pickletools.markobject else found for each in opcode.stack_after]


def _taken(stack: list[int | None], opcode: pickletools.OpcodeInfo) -> list[int | None]:
    """What an operation takes from the stack, the lowest first, without the mark."""
    before = opcode.stack_before
    if pickletools.markobject not in before:
        count = len(stack) - len(before)
        if count < 0:
            raise ValueError("an operation without what it works on")
        given = stack[count:]
        del stack[count:]
        return given
    mark = len(stack) - 1 - stack[::-1].index(None)
    above, below = stack[mark + 1 :], before.index(pickletools.markobject)
    given = stack[mark - below : mark] + above
    del stack[max(0, mark - below) :]
    return given


def unpickle(data: bytes, path: Path) -> dict[str, object]:
    """The dictionary pickled in ``data``, its keys as text and its arrays as uint8 arrays.

    Args:
        data: the file's bytes, written by Python 2 or 3.
        path: named in the errors.

    Raises:
        DataError: a file that asks for anything but what a batch needs, is truncated, or holds something else.
    """
    try:
        _check_cost(data)
        found = Unpickler(data, path).load()
        if not isinstance(found, dict):
            raise ValueError(f"a {type(found).__name__} instead of a dictionary")
        keys = [key.decode() if isinstance(key, bytes) else str(key) for key in found]
        values = [value.value() if isinstance(value, _Array) else value for value in found.values()]
        return dict(zip(keys, values, strict=True))
    except DataError:
        raise
    except Exception as error:  # a damaged pickle may fail in any way at all
        expected = "a file of CIFAR's python layout"
        raise DataError(
            f"{path} is no pickled batch ({why(error)})", expected, "remove it and fetch it again"
        ) from None
