"""Places of maps, for kernels of several topics: where a potential lies, what a field reads, a border.

Activities are ``(sample, row, column, channel)``. The potentials of a pooled layer are
``(sample, window, row/2, column/2, channel)``: ``window`` is the place inside the 2 x 2 window that is pooled.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local


def places(potential: Array) -> Iterator[tuple[tuple[int, ...], int, int]]:
    """Every place of a map, pooled or not.

    Args:
        potential: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)``.

    Yields:
        index of the potential without its sample, row of the map, column of the map.
    """
    if potential.ndim == 4:
        for r, c in product(range(potential.shape[1]), range(potential.shape[2])):
            yield (r, c), r, c
    else:
        for w, r, c in product(range(4), range(potential.shape[2]), range(potential.shape[3])):
            yield (w, r, c), 2 * r + w // 2, 2 * c + w % 2


def taps(shape: tuple[int, ...], row: int, column: int, side: int = 3) -> Iterator[tuple[int, int, int, int]]:
    """The places of the field around one that lie inside the map.

    Args:
        shape: of the map, ``(N, R, C, I)``.
        row: of the place.
        column: of the place.
        side: rows and columns of the field.

    Yields:
        tap row, tap column, row, column.
    """
    for i, j in product(range(side), range(side)):
        r, c = row + i - before(side), column + j - before(side)
        if 0 <= r < shape[1] and 0 <= c < shape[2]:
            yield i, j, r, c


def before(side: int) -> int:
    """How many rows of a field of so many lie above its place."""
    return (side - 1) // 2


def padded(plain: Array, name: str, above: int = 1, below: int = 1) -> Array:
    """A copy of ``(sample, row, column, channel)`` with a border of zeros.

    Args:
        plain: the maps.
        name: of the scratch that holds the copy, see `neurosim.core.workspace.thread_local`.
        above: rows of the border above, and columns to the left.
        below: the same at the other ends.
    """
    n, rows, columns, channels = plain.shape
    pad = thread_local(name, (n, rows + above + below, columns + above + below, channels), plain.dtype)
    pad[:, :above] = pad[:, above + rows :] = 0
    pad[:, :, :above] = pad[:, :, above + columns :] = 0
    pad[:, above : above + rows, above : above + columns] = plain
    return pad
