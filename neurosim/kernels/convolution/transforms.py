"""The transforms of convolutions in tiles: what lies before and after the products over channels.

``B^T patch B`` is the input transform, ``G w G^T`` the filter transform and ``A^T . A`` the output transform; run the
other way round it is the error transform, ``A post A^T``. Every transform is a matrix product. Overlapping patches are
views of the maps, and products read them there: rows first, whole lines of them, then columns, one patch a product.
Products stay below 10^6 multiplications where they can, since OpenBLAS then does not repack. Whatever lies in scratch
is laid out once (`neurosim.core.workspace.cached`), by the functions ``lay_out_...``.

The interpolation points 0, +-2/3, +-3/2 keep rounding at about three times that of the plain sum (0, +-1, +-2: seven).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.core.workspace import cached, chunks, thread_local

TILE, PATCH = 4, 6
POINTS = (0, 2 / 3, -2 / 3, 3 / 2, -3 / 2)
Dtype: TypeAlias = np.dtype[Any]
Shape: TypeAlias = tuple[int, ...]
Products: TypeAlias = Iterable[tuple[Array, Array, Array]]  # matrix, matrix, where their product goes
Delivery: TypeAlias = tuple[Products, Array, Array, Array, Array, Array, Array]  # what `add_patches` is given


# -- shared by the transforms


@cache
def _transforms(dtype: Dtype) -> list[Array]:
    """A^T (4 x 6), G (6 x 3) and B^T (6 x 6)."""

    def powers(count: int) -> Array:
        return np.array([[p**j for j in range(count)] for p in POINTS] + [[0.0] * (count - 1) + [1.0]])

    return [m.astype(dtype) for m in (powers(TILE).T, powers(3), np.linalg.inv(powers(PATCH)).T)]


def multiply(products: Products) -> None:
    """Run products that were laid out before."""
    for left, right, out in products:
        np.matmul(left, right, out=out)


def _both(matrix: Array, source: Array, target: Array) -> Products:
    """``target = matrix source matrix^T`` over the first two axes, the other axes side by side, as products to run."""
    size = len(source)
    half = thread_local("winograd.half", (size, len(matrix), source[0, 0].size), source.dtype)
    rows = matrix, source.reshape(size, size, -1), half
    return rows, (matrix, half.reshape(size, -1), target.reshape(len(matrix), -1))


def samples_of_sets(maps: Array, channels: int, times: int = 1) -> list[slice]:
    """Slices of a few samples, as many tiles as a set holds, or some times as many."""
    widest = max(maps.shape[3], min(channels, tuning.CPU.tile_results))
    tiles = max(times * tuning.CPU.tile_set // widest, tuning.CPU.least_tiles)
    return chunks(len(maps), max(1, tiles * TILE**2 // (maps.shape[1] * maps.shape[2])))


def tiled(maps: Array) -> Array:
    """A view of maps as ``(4, 4, sample, tile row, tile column, channel)``, of pooled ones with 2, 2, 2, 2 for 4, 4."""
    n, channels = len(maps), maps.shape[-1]
    if maps.ndim == 4:
        rows, columns = maps.shape[1] // TILE, maps.shape[2] // TILE
        return maps.reshape(n, rows, TILE, columns, TILE, channels).transpose(2, 4, 0, 1, 3, 5)
    rows, columns = maps.shape[2] // 2, maps.shape[3] // 2
    # rows: window of the tile, place in the window; the same for columns
    return maps.reshape(n, 2, 2, rows, 2, columns, 2, channels).transpose(4, 1, 6, 2, 0, 3, 5, 7)


# -- input transform: B^T patch B


def _patches(lines: Array) -> tuple[Array, ...]:
    """Patches of 6 along the last axis but one of ``(..., size, width)``, overlapping by two.

    Those of the first tile, those between, ``(..., tile, 6, width)``, and those of the last; what lies beyond the
    border, which is 0, is left out.
    """
    *outer, size, width = lines.shape
    if size == TILE:
        return (lines,)
    ends = lines[..., : PATCH - 1, :], lines[..., 1 - PATCH :, :]
    if size == 2 * TILE:
        return ends
    *steps, step, unit = lines.strides
    shape, strides = (*outer, size // TILE - 2, PATCH, width), (*steps, TILE * step, step, unit)
    return ends[0], np.ndarray(shape, lines.dtype, lines, (TILE - 1) * step, strides), ends[1]


@cache
def _transforms_of_patches(tiles: int, dtype: Dtype) -> tuple[Array, ...]:
    """B^T for each of `_patches`, without the columns that would multiply the border."""
    whole = _transforms(dtype)[2]
    if tiles == 1:
        return (whole[:, 1:-1].copy(),)
    first, last = whole[:, 1:].copy(), whole[:, :-1].copy()
    return (first, last) if tiles == 2 else (first, whole, last)


def _parts_of_patches(whole: Array) -> tuple[Array, ...]:
    """The parts of ``(..., tile, 6, width)`` that belong to each of `_patches`."""
    tiles = whole.shape[-3]
    if tiles == 1:
        return (whole[..., 0, :, :],)
    ends = whole[..., 0, :, :], whole[..., -1, :, :]
    return ends if tiles == 2 else (ends[0], whole[..., 1:-1, :, :], ends[1])


def _lay_out_input(shape: Shape, dtype: Dtype) -> tuple[tuple[Array, ...], Products, Array]:
    """For maps of a shape: where their rows' transforms go, the columns' transforms as products, and what they make."""
    n, rows, columns, channels = shape
    down, across = rows // TILE, columns // TILE
    lines = thread_local("winograd.lines", (PATCH, n, down, columns, channels), dtype)
    inputs = thread_local("winograd.input", (PATCH, PATCH, n, down, across, channels), dtype)
    # patches of a line: row of the patch, sample, tile row, tile column, column of the patch, channel
    places = _parts_of_patches(inputs.transpose(0, 2, 3, 4, 1, 5))
    columnwise = tuple(zip(_transforms_of_patches(across, dtype), _patches(lines), places, strict=True))
    above = _parts_of_patches(lines.reshape(PATCH, n, down, -1).transpose(1, 2, 0, 3))
    return above, columnwise, inputs.reshape(PATCH, PATCH, -1, channels)


def input_transform(maps: Array) -> Array:
    """B^T patch B: ``(6, 6, tile, channel)`` of every patch of a few samples."""
    n, rows, columns, channels = maps.shape
    above, columnwise, inputs = cached(_lay_out_input, maps.shape, maps.dtype)
    lines = _patches(maps.reshape(n, rows, columns * channels))
    multiply(zip(_transforms_of_patches(rows // TILE, maps.dtype), lines, above, strict=True))
    multiply(columnwise)
    return inputs


def lay_out_delivery(shape: Shape, dtype: Dtype) -> tuple[Array, Array, Delivery]:
    """For errors of a shape: where products over channels are summed, where one goes, and what `add_patches` needs."""
    n, rows, columns, channels = shape
    down, across = rows // TILE, columns // TILE
    total = thread_local("winograd.input", (PATCH, PATCH, n, down, across, channels), dtype)
    more = thread_local("winograd.product", total.shape, dtype)
    back = _transforms(dtype)[2].T.copy()
    patches = thread_local("winograd.patches", (PATCH, n, down, across, PATCH, channels), dtype)
    lines = thread_local("winograd.lines", (PATCH, n, down, across, TILE, channels), dtype)
    ends = thread_local("winograd.ends", (n, down, 2, columns * channels), dtype)
    columnwise = ((back, total.transpose(0, 2, 3, 4, 1, 5), patches),)
    gathered = lines.reshape(PATCH, n, down, -1).transpose(1, 2, 0, 3)
    flat, inner, outer = (PATCH, PATCH, -1, channels), back[1:-1].copy(), back[::5].copy()
    return total.reshape(flat), more.reshape(flat), (columnwise, patches, lines, inner, outer, gathered, ends)


def add_patches(
    error: Array,
    columnwise: Products,
    patches: Array,
    lines: Array,
    inner: Array,
    outer: Array,
    gathered: Array,
    ends: Array,
) -> None:
    """B total B^T, and patches that overlap added up, columns first; what would lie beyond the border is left out."""
    multiply(columnwise)
    np.copyto(lines, patches[..., 1:-1, :])
    lines[..., :-1, -1, :] += patches[..., 1:, 0, :]
    lines[..., 1:, 0, :] += patches[..., :-1, -1, :]
    tiles = error.reshape(*ends.shape[:2], TILE, -1)
    np.matmul(inner, gathered, out=tiles)
    np.matmul(outer, gathered, out=ends)
    tiles[:, :-1, -1] += ends[:, 1:, 0]
    tiles[:, 1:, 0] += ends[:, :-1, 1]


# -- output transform: A^T . A, and the other way round


def lay_out_output(shape: Shape, dtype: Dtype) -> tuple[Array, Products, Array]:
    """For results in tiles of a shape: where the products over channels go, the transform, and what it makes."""
    result = thread_local("winograd.result", shape, dtype)
    tiles = result.reshape(TILE, TILE, -1, shape[-1])
    product = thread_local("winograd.product", (PATCH, PATCH, *tiles.shape[2:]), dtype)
    return product, _both(_transforms(dtype)[0], product, tiles), result


def _lay_out_error(shape: Shape, dtype: Dtype) -> tuple[Array, Products, Array]:
    """For factors in tiles of a shape: where they are gathered, their transform, and what it makes."""
    gathered = thread_local("winograd.tiles", shape, dtype)
    tiles = gathered.reshape(TILE, TILE, -1, shape[-1])
    errors = thread_local("winograd.error", (PATCH, PATCH, *tiles.shape[2:]), dtype)
    return gathered, _both(_transforms(dtype)[0].T.copy(), tiles, errors), errors


def error_transform(tiles: Array) -> Array:
    """A post A^T: ``(6, 6, tile, channel)``, what every place of a patch has to do with the factors of its tile."""
    gathered, products, errors = cached(_lay_out_error, tiles.shape, tiles.dtype)
    np.copyto(gathered, tiles)
    multiply(products)
    return errors


# -- filter transform: G w G^T, and the other way round


def _lay_out_filter(
    channels: int, results: int, transposed: bool, dtype: Dtype, number: int
) -> tuple[Array, Products, Array]:
    """For a slice of weights: where it is gathered, its transform, and what that makes, in memory of its own number."""
    axes = (results, channels) if transposed else (channels, results)
    gathered = thread_local("winograd.few", (3, 3, *axes), dtype)
    filters = thread_local(f"winograd.filter{number}", (PATCH, PATCH, *axes), dtype)
    return gathered, _both(_transforms(dtype)[1], gathered, filters), filters


def filter_transform(weight: Array, sets: int, transposed: bool = False) -> Callable[[slice], Array]:
    """G w G^T, as a function of a slice of channels out: ``(6, 6, in, few)``, if transposed ``(6, 6, few, in)``.

    A slice is transformed when the first set of samples needs it, and lies in the cache then; where there is no other
    set the next slice takes its place.
    """
    found: dict[int, Array] = {}

    def transformed(few: slice) -> Array:
        if few.start not in found:
            part = weight[..., few]
            channels, results = part.shape[2:]
            number = few.start if sets > 1 else 0
            layout = cached(_lay_out_filter, channels, results, transposed, weight.dtype, number)
            gathered, products, found[few.start] = layout
            np.copyto(gathered, part.swapaxes(2, 3) if transposed else part)
            multiply(products)
        return found[few.start]

    return transformed


def lay_out_change(channels: int, results: int, dtype: Dtype) -> tuple[Array, Products, Array]:
    """For a slice of weights: where the products over tiles go, the transform, and what it makes."""
    product = thread_local("winograd.product", (PATCH, PATCH, channels, results), dtype)
    summed = thread_local("winograd.summed", (3, 3, channels, results), dtype)
    return product, _both(_transforms(dtype)[1].T.copy(), product, summed), summed
