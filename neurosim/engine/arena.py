"""Places in one memory: arrays that are needed one after another lie at the same place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim.core.typing import Array

ALIGNED = 64  # bytes: an array begins where a line of the cache does


class Arena:
    """Memory that the arrays of one batch use one after another, within a program and in all programs given the arena."""

    def __init__(self) -> None:
        self._memory, self._used = np.empty(0, np.uint8), 0

    @property
    def nbytes(self) -> int:
        """Bytes in use at most."""
        return self._used

    def allocate(self, wanted: list[tuple[tuple[int, ...], np.dtype[Any], tuple[int, int]]]) -> list[Array]:
        """An array for each shape and type, given with the first and the last segment that use it; undefined at first."""
        sizes = [math.prod(shape) * dtype.itemsize for shape, dtype, _ in wanted]
        begins, size = allocate(sizes, [span for *_, span in wanted])
        self._used = max(self._used, size)
        if size > self._memory.size:
            self._memory = np.empty(
                2 * size, np.uint8
            )  # untouched memory costs nothing; growing, earlier programs keep theirs
        return [
            view_at(self._memory, begin, shape, dtype) for begin, (shape, dtype, _) in zip(begins, wanted, strict=True)
        ]


def allocate(sizes: list[int], spans: list[tuple[int, int]]) -> tuple[list[int], int]:
    """Places in one memory for what is needed from a first to a last moment; what is needed at one moment lies apart.

    The largest comes first, each at the lowest place that is free as long as it is needed.

    Args:
        sizes: bytes of each.
        spans: first and last moment of each.

    Returns:
        where each begins, and the size of the memory.
    """
    placed: list[tuple[int, int, int, int]] = []  # begin, end, first, last
    begins = [0] * len(sizes)
    for number in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        (first, last), begin = spans[number], 0
        size = -(-sizes[number] // ALIGNED) * ALIGNED
        for low, high, since, until in sorted(placed):
            if since <= last and first <= until and low < begin + size and begin < high:
                begin = high
        placed.append((begin, begin + size, first, last))
        begins[number] = begin
    return begins, max((end for _, end, _, _ in placed), default=0)


def view_at(memory: Array, begin: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array of a shape and a type, in memory at byte ``begin``."""
    return memory[begin : begin + math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)
