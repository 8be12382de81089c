"""Convolutions with a quarter of the multiplications: Winograd's F(4 x 4, 3 x 3) by matrix products.

A tile of 4 x 4 results needs a patch of 6 x 6 places. With three fixed matrices, each applied to rows and to columns,

    result = A^T [ (G w G^T) . (B^T patch B) ] A,

36 products replace 144. What is between the transforms lies as ``(row, column, tile, channel)`` with 6 rows and columns, so
that the middle is 36 products over channels. Outer products and feedback are the same three maps run in the other direction.
Source: Winograd 1980; Lavin and Gray 2016.

Every transform is a matrix product too. Overlapping patches are views of the maps, and products read them there: rows first, whole
lines of them, then columns, one patch a product. Products stay below 10^6 multiplications where they can, since OpenBLAS then
does not repack. Whatever lies in lent memory is laid out once (`neurosim.kernels.workspace.cached`).

The interpolation points 0, +-2/3, +-3/2 keep rounding at about three times that of the plain sum (0, +-1, +-2: seven times).
"""

from functools import cache

import numpy as np

from neurosim.kernels.workspace import cached, chunks, thread_local

TILE, PATCH = 4, 6
POINTS = (0, 2 / 3, -2 / 3, 3 / 2, -3 / 2)
# Fewer channels than this make products too thin to gain anything.
CHANNELS = 16
# Tiles times channels of one set of products, and channels of its results: 0.6 MB each for patches, weights, results. Fewer tiles
# than this are not worth what a set does for every weight.
SET, RESULTS, TILES = 64 * 64, 64, 64


def fits(shape, weight) -> bool:
    """Whether maps ``(sample, row, column, channel)`` and weights ``(3, 3, in, out)`` can be, and gain from being, tiled."""
    return shape[1] % TILE == 0 and shape[2] % TILE == 0 and min(weight.shape[2:]) >= CHANNELS


@cache
def _transforms(dtype):
    """A^T (4 x 6), G (6 x 3) and B^T (6 x 6)."""

    def powers(count):
        return np.array([[p**j for j in range(count)] for p in POINTS] + [[0.0] * (count - 1) + [1.0]])

    return [m.astype(dtype) for m in (powers(TILE).T, powers(3), np.linalg.inv(powers(PATCH)).T)]


def _multiply(products):
    """Run products that were laid out before: (matrix, matrix, where the product goes)."""
    for left, right, out in products:
        np.matmul(left, right, out=out)


def _both(matrix, source, target):
    """``target = matrix source matrix^T`` over the first two axes, the other axes side by side, as products to run."""
    size = len(source)
    half = thread_local("winograd.half", (size, len(matrix), source[0, 0].size), source.dtype)
    return ((matrix, source.reshape(size, size, -1), half),
            (matrix, half.reshape(size, -1), target.reshape(len(matrix), -1)))  # fmt: skip


def _samples(maps, channels, times=1):
    """Slices of a few samples, as many tiles as a set holds, or some times as many."""
    widest = max(maps.shape[3], min(channels, RESULTS))
    step = max(1, max(times * SET // widest, TILES) * TILE**2 // (maps.shape[1] * maps.shape[2]))
    return chunks(len(maps), step)


def _patches(lines):
    """Patches of 6 along the last axis but one of ``(..., size, width)``, overlapping by two: of the first tile, of those
    between, ``(..., tile, 6, width)``, and of the last; what lies beyond the border, which is 0, is left out."""
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
def _transforms_of_patches(tiles, dtype):
    """B^T for each of `_patches`, without the columns that would meet the border."""
    whole = _transforms(dtype)[2]
    if tiles == 1:
        return (whole[:, 1:-1].copy(),)
    first, last = whole[:, 1:].copy(), whole[:, :-1].copy()
    return (first, last) if tiles == 2 else (first, whole, last)


def _places(tiled):
    """The parts of ``(..., tile, 6, width)`` that belong to each of `_patches`."""
    tiles = tiled.shape[-3]
    if tiles == 1:
        return (tiled[..., 0, :, :],)
    ends = tiled[..., 0, :, :], tiled[..., -1, :, :]
    return ends if tiles == 2 else (ends[0], tiled[..., 1:-1, :, :], ends[1])


def _seeing(shape, dtype):
    """For maps of a shape: where their rows' transforms go, the columns' transforms as products, and what they make."""
    n, rows, columns, channels = shape
    down, across = rows // TILE, columns // TILE
    lines = thread_local("winograd.lines", (PATCH, n, down, columns, channels), dtype)
    seen = thread_local("winograd.seen", (PATCH, PATCH, n, down, across, channels), dtype)
    # patches of a line: row of the patch, sample, tile row, tile column, column of the patch, channel
    places = _places(seen.transpose(0, 2, 3, 4, 1, 5))
    columnwise = tuple(zip(_transforms_of_patches(across, dtype), _patches(lines), places, strict=True))
    above = _places(lines.reshape(PATCH, n, down, -1).transpose(1, 2, 0, 3))
    return above, columnwise, seen.reshape(PATCH, PATCH, -1, channels)


def _seen(maps):
    """B^T patch B: ``(6, 6, tile, channel)`` of every patch of a few samples."""
    n, rows, columns, channels = maps.shape
    above, columnwise, seen = cached(_seeing, maps.shape, maps.dtype)
    lines = _patches(maps.reshape(n, rows, columns * channels))
    _multiply(zip(_transforms_of_patches(rows // TILE, maps.dtype), lines, above, strict=True))
    _multiply(columnwise)
    return seen


def _tiles(maps):
    """A view of plain maps as ``(4, 4, sample, tile row, tile column, channel)``, of pooled ones with 2, 2, 2, 2 for 4, 4."""
    n, channels = len(maps), maps.shape[-1]
    if maps.ndim == 4:
        rows, columns = maps.shape[1] // TILE, maps.shape[2] // TILE
        return maps.reshape(n, rows, TILE, columns, TILE, channels).transpose(2, 4, 0, 1, 3, 5)
    rows, columns = maps.shape[2] // 2, maps.shape[3] // 2
    # rows: window of the tile, place in the window; the same for columns
    return maps.reshape(n, 2, 2, rows, 2, columns, 2, channels).transpose(4, 1, 6, 2, 0, 3, 5, 7)


def _sending(shape, dtype):
    """For factors in tiles of a shape: where they are gathered, their transform, and what it makes."""
    gathered = thread_local("winograd.tiles", shape, dtype)
    tiles = gathered.reshape(TILE, TILE, -1, shape[-1])
    sent = thread_local("winograd.sent", (PATCH, PATCH, *tiles.shape[2:]), dtype)
    return gathered, _both(_transforms(dtype)[0].T.copy(), tiles, sent), sent


def _sent(tiles):
    """A post A^T: ``(6, 6, tile, channel)``, what every place of a patch has to do with the factors of its tile."""
    gathered, products, sent = cached(_sending, tiles.shape, tiles.dtype)
    np.copyto(gathered, tiles)
    _multiply(products)
    return sent


def _spreading(channels, results, transposed, dtype, held):
    """For a slice of weights, kept apart from the next or not: where it is gathered, its transform, and what that makes."""
    axes = (results, channels) if transposed else (channels, results)
    gathered = thread_local("winograd.few", (3, 3, *axes), dtype)
    memory = thread_local(f"winograd.weights{held}", (PATCH, PATCH, *axes), dtype)
    return gathered, _both(_transforms(dtype)[1], gathered, memory), memory


def _spread(weight, sets, transposed=False):
    """G w G^T: ``(6, 6, in, few)`` of a slice of the channels out (``(6, 6, few, in)`` if transposed), as a function of the slice.

    A slice is transformed when the first set of samples needs it, and lies in the cache then; where there is no other set
    the next slice takes its place.
    """
    found = {}

    def spread(few):
        if few.start not in found:
            part = weight[..., few]
            held = few.start if sets > 1 else 0
            gathered, products, found[few.start] = cached(_spreading, *part.shape[2:], transposed, weight.dtype, held)
            np.copyto(gathered, part.swapaxes(2, 3) if transposed else part)
            _multiply(products)
        return found[few.start]

    return spread


def _answering(shape, dtype):
    """For results in tiles of a shape: where the products over channels go, the transform, and what it makes."""
    result = thread_local("winograd.result", shape, dtype)
    tiles = result.reshape(TILE, TILE, -1, shape[-1])
    product = thread_local("winograd.product", (PATCH, PATCH, *tiles.shape[2:]), dtype)
    return product, _both(_transforms(dtype)[0], product, tiles), result


def convolve(presynaptic, weight, potential):
    """u = W * x."""
    # Forward, half as many calls are worth more than the cache: 49 instead of 55 us a view of 16x16x32 to 64 channels on two
    # threads (Xeon), 77 instead of 73 on one. Outer products and feedback gain nothing.
    sets = _samples(presynaptic, weight.shape[3], 2)
    spread = _spread(weight, len(sets))
    for part in sets:
        seen, target = _seen(presynaptic[part]), _tiles(potential[part])
        for few in chunks(weight.shape[3], RESULTS):
            place = target[..., few]
            product, products, result = cached(_answering, place.shape, weight.dtype)
            np.matmul(seen, spread(few), out=product)
            _multiply(products)
            np.copyto(place, result)


def _summing(channels, results, dtype):
    """For a slice of weights: where the products over tiles go, the transform, and what it makes."""
    product = thread_local("winograd.product", (PATCH, PATCH, channels, results), dtype)
    summed = thread_local("winograd.summed", (3, 3, channels, results), dtype)
    return product, _both(_transforms(dtype)[1].T.copy(), product, summed), summed


def hebbian(pre, post, change):
    """change += sum of pre outer post."""
    for part in _samples(pre, post.shape[-1]):
        seen, tiles = _seen(pre[part]).swapaxes(2, 3), _tiles(post[part])
        for few in chunks(post.shape[-1], RESULTS):
            place = change[..., few]
            product, products, summed = cached(_summing, *place.shape[2:], change.dtype)
            np.matmul(seen, _sent(tiles[..., few]), out=product)
            _multiply(products)
            place += summed


def deliver(post, weight, error):
    """error = B^T post."""
    sets = _samples(error, weight.shape[3])
    spread = _spread(weight, len(sets), transposed=True)
    for part in sets:
        total, more, lay = cached(_delivering, error[part].shape, error.dtype)
        tiles = _tiles(post[part])
        for few in chunks(weight.shape[3], RESULTS):
            product = more if few.start else total
            np.matmul(_sent(tiles[..., few]), spread(few), out=product)
            if few.start:
                total += product
        _lay(*lay, error[part])


def _delivering(shape, dtype):
    """For errors of a shape: where the products over channels are summed, where one of them goes, and what `_lay` needs."""
    n, rows, columns, channels = shape
    down, across = rows // TILE, columns // TILE
    total = thread_local("winograd.seen", (PATCH, PATCH, n, down, across, channels), dtype)
    more = thread_local("winograd.product", total.shape, dtype)
    back = _transforms(dtype)[2].T.copy()
    patches = thread_local("winograd.patches", (PATCH, n, down, across, PATCH, channels), dtype)
    lines = thread_local("winograd.lines", (PATCH, n, down, across, TILE, channels), dtype)
    ends = thread_local("winograd.ends", (n, down, 2, columns * channels), dtype)
    columnwise = ((back, total.transpose(0, 2, 3, 4, 1, 5), patches),)
    gathered = lines.reshape(PATCH, n, down, -1).transpose(1, 2, 0, 3)
    flat, inner, outer = (PATCH, PATCH, -1, channels), back[1:-1].copy(), back[::5].copy()
    return total.reshape(flat), more.reshape(flat), (columnwise, patches, lines, inner, outer, gathered, ends)


def _lay(columnwise, patches, lines, inner, outer, gathered, ends, error):
    """B total B^T, and patches that overlap added up, columns first; what would lie beyond the border is left out."""
    _multiply(columnwise)
    np.copyto(lines, patches[..., 1:-1, :])
    lines[..., :-1, -1, :] += patches[..., 1:, 0, :]
    lines[..., 1:, 0, :] += patches[..., :-1, -1, :]
    tiles = error.reshape(*ends.shape[:2], TILE, -1)
    np.matmul(inner, gathered, out=tiles)
    np.matmul(outer, gathered, out=ends)
    tiles[:, :-1, -1] += ends[:, 1:, 0]
    tiles[:, 1:, 0] += ends[:, :-1, 1]
