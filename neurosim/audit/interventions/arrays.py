"""Arrays as interventions need them: bits, rows of a stored base, and values that give away who reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.graph.graph import span

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array


def bits(array: Array) -> Array:
    """An array as whole numbers, so that NaN equals NaN and -0 is not 0."""
    kinds = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
    return array.view(kinds[array.dtype.itemsize])


def rows_of(buffer: Buffer, bases: dict[str, Array]) -> Array:
    """The rows of a stored base that a buffer or view shows, in the shape of the view.

    Args:
        buffer: of a plan.
        bases: name of a base -> values in its place.
    """
    start, stop = span(buffer)
    return bases[buffer.base.name].reshape(-1)[start:stop].reshape(buffer.shape)


def poison(array: Array) -> None:
    """NaN in every real number, -1 (or the largest) in every whole one."""
    if array.flags.c_contiguous:
        array.view(np.uint8).fill(0xFF)
    else:
        array[...] = np.nan if array.dtype.kind == "f" else np.array(-1).astype(array.dtype)


def is_poisoned(array: Array) -> bool:
    """Whether an array is as `poison` left it."""
    words = _words(array) if array.flags.c_contiguous else None
    if words is not None and np.bitwise_and.reduce(words) == ~np.zeros((), words.dtype):
        return True
    return bool(np.isnan(array).all()) if array.dtype.kind == "f" else True


def checksum(array: Array) -> int:
    """A number that is another one where a bit of an array is, but for changes that cancel by chance."""
    whole = array if array.flags.c_contiguous else np.ascontiguousarray(array)
    return int(np.add.reduce(_words(whole), dtype=np.uint64))


def _words(array: Array) -> Array:
    """The memory of an array as whole numbers that are as long as its size allows."""
    line = array.reshape(-1).view(np.uint8)
    return line.view(np.uint64) if line.size % 8 == 0 else line


def other_values(values: Array, rng: np.random.Generator) -> Array:
    """Other numbers of the same type and about the same size; whole numbers stay within their range."""
    if values.dtype.kind == "f":
        finite = np.abs(values[np.isfinite(values)])
        size = float(finite.max()) if finite.size and finite.max() else 1.0
        return rng.uniform(-size, size, values.shape).astype(values.dtype)
    if values.dtype.kind == "b":
        return np.logical_not(values)
    if not values.size or values.max() == values.min():
        return np.asarray(values + values.dtype.type(1))
    return np.asarray(values.max() - (values - values.min())).astype(values.dtype)
