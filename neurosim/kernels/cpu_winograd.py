"""Convolutions with a quarter of the multiplications: Winograd's F(4 x 4, 3 x 3) by matrix products.

A tile of 4 x 4 results needs a patch of 6 x 6 places. With three fixed matrices, each applied to rows and to columns,

    result = A^T [ (G w G^T) . (B^T patch B) ] A,

36 products replace 144. Patches, weights and results are laid out as ``(row, column, tile, channel)`` with 6, 3 or 4 rows
and columns, so that a transform of one side is a product of a small matrix with a wide one, and the middle is 36 products
over channels. Outer products and feedback are the same three maps run in the other direction; products stay below 10^6
multiplications where they can, since OpenBLAS then does not repack. Source: Winograd 1980; Lavin and Gray 2016.

The interpolation points 0, +-2/3, +-3/2 keep rounding at about three times that of the plain sum (0, +-1, +-2: seven times).
"""

from functools import cache

import numpy as np

from neurosim.kernels.scratch import take

TILE, PATCH = 4, 6
POINTS = (0, 2 / 3, -2 / 3, 3 / 2, -3 / 2)
# Fewer channels than this make products too thin to gain anything.
CHANNELS = 16
# Tiles times channels of one set of products, and channels of its results: 0.6 MB each for patches, weights, results.
SET, RESULTS = 64 * 64, 64


def fits(shape, weight) -> bool:
    """Whether maps ``(sample, row, column, channel)`` and weights ``(3, 3, in, out)`` can be, and gain from being, tiled."""
    return shape[1] % TILE == 0 and shape[2] % TILE == 0 and min(weight.shape[2:]) >= CHANNELS


@cache
def _transforms(dtype):
    """A^T (4 x 6), G (6 x 3) and B^T (6 x 6)."""

    def powers(count):
        return np.array([[p**j for j in range(count)] for p in POINTS] + [[0.0] * (count - 1) + [1.0]])

    return [m.astype(dtype) for m in (powers(TILE).T, powers(3), np.linalg.inv(powers(PATCH)).T)]


def _both(matrix, source, target):
    """``target = matrix source matrix^T`` over the first two axes, the other axes side by side."""
    size = len(source)
    half = take("winograd.half", (size, len(matrix), source[0, 0].size), source.dtype)
    np.matmul(matrix, source.reshape(size, size, -1), out=half)
    np.matmul(matrix, half.reshape(size, -1), out=target.reshape(len(matrix), -1))


def _samples(maps, channels):
    """Slices of a few samples, as many tiles as a set holds."""
    widest = max(maps.shape[3], min(channels, RESULTS))
    step = max(1, SET * TILE**2 // (widest * maps.shape[1] * maps.shape[2]))
    return [slice(start, start + step) for start in range(0, len(maps), step)]


def _patches(pad):
    """Every 6 x 6 patch of a padded block, ``(6, 6, sample, tile row, tile column, channel)``, overlapping by two."""
    n, rows, columns, channels = pad.shape
    s, r, c, e = pad.strides
    shape = (PATCH, PATCH, n, (rows - 2) // TILE, (columns - 2) // TILE, channels)
    return np.ndarray(shape, pad.dtype, pad, 0, (r, c, s, TILE * r, TILE * c, e))


def _tiles(maps):
    """A view of plain maps as ``(4, 4, sample, tile row, tile column, channel)``, of pooled ones with 2, 2, 2, 2 for 4, 4."""
    n, channels = len(maps), maps.shape[-1]
    if maps.ndim == 4:
        rows, columns = maps.shape[1] // TILE, maps.shape[2] // TILE
        return maps.reshape(n, rows, TILE, columns, TILE, channels).transpose(2, 4, 0, 1, 3, 5)
    rows, columns = maps.shape[2] // 2, maps.shape[3] // 2
    # rows: window of the tile, place in the window; the same for columns
    return maps.reshape(n, 2, 2, rows, 2, columns, 2, channels).transpose(4, 1, 6, 2, 0, 3, 5, 7)


def padded(plain, name):
    """A copy of ``(sample, row, column, channel)`` with a border of zeros."""
    n, rows, columns, channels = plain.shape
    pad = take(name, (n, rows + 2, columns + 2, channels), plain.dtype)
    pad[:, 0] = pad[:, -1] = 0
    pad[:, :, 0] = pad[:, :, -1] = 0
    pad[:, 1:-1, 1:-1] = plain
    return pad


def _seen(plain):
    """B^T patch B: ``(6, 6, tile, channel)`` of every patch of a few samples."""
    view = _patches(padded(plain, "winograd.pad"))
    patches = take("winograd.patches", view.shape, plain.dtype)
    np.copyto(patches, view)
    seen = take("winograd.seen", (PATCH, PATCH, patches[0, 0, ..., 0].size, plain.shape[3]), plain.dtype)
    _both(_transforms(plain.dtype)[2], patches, seen)
    return seen


def _sent(post):
    """A post A^T: ``(6, 6, tile, channel)``, what every place of a patch has to do with the factors of its tile."""
    view = _tiles(post)
    tiles = take("winograd.tiles", (TILE, TILE, *view.shape[-4:]), post.dtype)
    np.copyto(tiles.reshape(view.shape), view)
    sent = take("winograd.sent", (PATCH, PATCH, tiles[0, 0, ..., 0].size, post.shape[-1]), post.dtype)
    _both(_transforms(post.dtype)[0].T, tiles, sent)
    return sent


def _channels(count):
    """Slices of a few channels."""
    return [slice(start, start + RESULTS) for start in range(0, count, RESULTS)]


def _spread(weight, transposed=False):
    """G w G^T: ``(6, 6, in, few)`` for every slice of the channels out (``(6, 6, few, in)`` if transposed)."""
    held = take("winograd.weights", (PATCH**2 * weight[0, 0].size,), weight.dtype)
    for part in _channels(weight.shape[3]):
        few = weight[..., part].swapaxes(2, 3) if transposed else weight[..., part]
        taken = take("winograd.few", few.shape, weight.dtype)
        np.copyto(taken, few)
        size = PATCH**2 * few[0, 0].size
        spread, held = held[:size].reshape(PATCH, PATCH, *few.shape[2:]), held[size:]
        _both(_transforms(weight.dtype)[1], taken, spread)
        yield spread


def convolve(presynaptic, weight, potential):
    """u = W * x."""
    # A slice of the weights is transformed when the first samples need it: it lies in the cache then.
    waiting, spread = _spread(weight), {}
    for part in _samples(presynaptic, weight.shape[3]):
        seen, target = _seen(presynaptic[part]), _tiles(potential[part])
        for few in _channels(weight.shape[3]):
            if few.start not in spread:
                spread[few.start] = next(waiting)
            product = take("winograd.product", (*seen.shape[:3], spread[few.start].shape[3]), weight.dtype)
            np.matmul(seen, spread[few.start], out=product)
            place = target[..., few]
            result = take("winograd.result", (TILE, TILE, *place.shape[-4:]), weight.dtype)
            _both(_transforms(weight.dtype)[0], product, result)
            np.copyto(place, result.reshape(place.shape))


def hebbian(pre, post, change):
    """change += sum of pre outer post."""
    for part in _samples(pre, post.shape[-1]):
        seen = _seen(pre[part]).swapaxes(2, 3)
        for few in _channels(post.shape[-1]):
            sent = _sent(post[part][..., few])
            product = take("winograd.product", (*seen.shape[:3], sent.shape[3]), pre.dtype)
            np.matmul(seen, sent, out=product)
            summed = take("winograd.summed", (3, 3, *product.shape[2:]), pre.dtype)
            _both(_transforms(pre.dtype)[1].T, product, summed)
            change[..., few] += summed


def deliver(post, weight, error):
    """error = B^T post."""
    waiting, spread = _spread(weight, transposed=True), {}
    for part in _samples(error, weight.shape[3]):
        n, rows, columns, channels = error[part].shape
        total = take("winograd.seen", (PATCH, PATCH, n * rows * columns // TILE**2, channels), error.dtype)
        for few in _channels(weight.shape[3]):
            if few.start not in spread:
                spread[few.start] = next(waiting)
            sent = _sent(post[part][..., few])
            product = take("winograd.product", total.shape, error.dtype) if few.start else total
            np.matmul(sent, spread[few.start], out=product)
            if few.start:
                total += product
        patches = take("winograd.patches", (PATCH, PATCH, n, rows // TILE, columns // TILE, channels), error.dtype)
        _both(_transforms(error.dtype)[2].T, total, patches)
        _lay(patches, error[part])


def _lay(patches, error):
    """Add overlapping patches up; the border is left out."""
    n, rows, columns, channels = error.shape
    pad = take("winograd.pad", (n, rows + 2, columns + 2, channels), error.dtype)
    pad[:, rows:] = 0
    pad[:, :rows, columns:] = 0
    view = _patches(pad)
    own, beyond = slice(0, TILE), slice(TILE, PATCH)
    np.copyto(view[own, own], patches[own, own])
    for i, j in ((own, beyond), (beyond, own), (beyond, beyond)):
        view[i, j] += patches[i, j]
    np.copyto(error, pad[:, 1:-1, 1:-1])
