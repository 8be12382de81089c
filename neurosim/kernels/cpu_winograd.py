"""Convolutions with a quarter of the multiplications: Winograd's F(4 x 4, 3 x 3) by matrix products.

A tile of 4 x 4 results needs a patch of 6 x 6 places. With three fixed matrices, each applied to rows and to columns,

    result = A^T [ (G w G^T) . (B^T patch B) ] A,

36 products replace 144. Patches, weights and results are laid out as ``(36 or 16 or 9, tile, channel)``, so that a
transform is one product of a small matrix with a wide one and the middle is 36 products over channels. Outer products
and feedback are the same three maps run in the other direction. Source: Winograd 1980; Lavin and Gray 2016.

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
# Columns of one product with a transform: OpenBLAS runs products below 10^6 multiplications without repacking,
# 84 instead of 50 GFLOP/s.
COLUMNS = 512


def fits(shape, weight) -> bool:
    """Whether maps ``(sample, row, column, channel)`` and weights ``(3, 3, in, out)`` can be, and gain from being, tiled."""
    return shape[1] % TILE == 0 and shape[2] % TILE == 0 and min(weight.shape[2:]) >= CHANNELS


@cache
def _transforms(dtype):
    """A^T (16 x 36), G (36 x 9) and B^T (36 x 36), each for rows and columns at once."""

    def powers(count):
        return np.array([[p**j for j in range(count)] for p in POINTS] + [[0.0] * (count - 1) + [1.0]])

    pair = (powers(TILE).T, powers(3), np.linalg.inv(powers(PATCH)).T)
    return [np.kron(matrix, matrix).astype(dtype) for matrix in pair]


def _mix(matrix, source, target):
    """``target = matrix source`` over the first axis, the other axes as columns."""
    source, target = source.reshape(len(source), -1), target.reshape(len(target), -1)
    whole = source.shape[1] // COLUMNS * COLUMNS
    if whole:
        cut = [a[:, :whole].reshape(len(a), -1, COLUMNS).swapaxes(0, 1) for a in (source, target)]
        np.matmul(matrix, cut[0], out=cut[1])
    if whole < source.shape[1]:
        np.matmul(matrix, source[:, whole:], out=target[:, whole:])


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
    """``(4, 4, sample, tile row, tile column, channel)`` of plain or pooled maps, a view."""
    n, channels = len(maps), maps.shape[-1]
    if maps.ndim == 4:
        rows, columns = maps.shape[1] // TILE, maps.shape[2] // TILE
        return maps.reshape(n, rows, TILE, columns, TILE, channels).transpose(2, 4, 0, 1, 3, 5)
    rows, columns = maps.shape[2] // 2, maps.shape[3] // 2
    cut = maps.reshape(n, 2, 2, rows, 2, columns, 2, channels).transpose(4, 1, 6, 2, 0, 3, 5, 7)
    return cut  # (window of the tile, place in it) twice


def padded(plain, name):
    """A copy of ``(sample, row, column, channel)`` with a border of zeros."""
    n, rows, columns, channels = plain.shape
    pad = take(name, (n, rows + 2, columns + 2, channels), plain.dtype)
    pad[:, 0] = pad[:, -1] = 0
    pad[:, :, 0] = pad[:, :, -1] = 0
    pad[:, 1:-1, 1:-1] = plain
    return pad


def _seen(plain, into):
    """B^T patch B: ``(36, tile, channel)`` of every patch of a few samples."""
    _, _, inputs = _transforms(plain.dtype)
    view = _patches(padded(plain, "winograd.pad"))
    patches = take("winograd.patches", view.shape, plain.dtype)
    np.copyto(patches, view)
    seen = take(into, (PATCH**2, patches[0, 0, ..., 0].size, plain.shape[3]), plain.dtype)
    _mix(inputs, patches.reshape(PATCH**2, -1), seen)
    return seen


def _sent(post):
    """A post A^T: ``(36, tile, channel)``, what every place of a patch has to do with the factors of its tile."""
    outputs, _, _ = _transforms(post.dtype)
    view = _tiles(post)
    tiles = take("winograd.tiles", view.shape, post.dtype)
    np.copyto(tiles, view)
    sent = take("winograd.sent", (PATCH**2, tiles.size // 16 // post.shape[-1], post.shape[-1]), post.dtype)
    _mix(outputs.T, tiles.reshape(16, -1), sent)
    return sent


def _channels(count):
    """Slices of a few channels."""
    return [slice(start, start + RESULTS) for start in range(0, count, RESULTS)]


def _spread(weight, transposed=False):
    """G w G^T for every slice of the channels out, each ``(36, in, few)`` (``(36, few, in)`` if transposed), as asked for."""
    _, kernel, _ = _transforms(weight.dtype)
    held = take("winograd.weights", (PATCH**2 * weight[0, 0].size,), weight.dtype)
    first = 0
    for part in _channels(weight.shape[3]):
        few = weight[..., part]
        few = few.swapaxes(2, 3) if transposed else few
        taken = take("winograd.few", few.shape, weight.dtype)
        np.copyto(taken, few)
        spread = held[first : first + PATCH**2 * few[0, 0].size].reshape(PATCH**2, *few.shape[2:])
        first += spread.size
        _mix(kernel, taken.reshape(9, -1), spread)
        yield spread


def convolve(presynaptic, weight, potential):
    """u = W * x."""
    outputs, _, _ = _transforms(weight.dtype)
    channels, weights = _channels(weight.shape[3]), _spread(weight)
    spread = []
    for part in _samples(presynaptic, weight.shape[3]):
        seen, target = _seen(presynaptic[part], "winograd.seen"), _tiles(potential[part])
        for place, few in enumerate(channels):
            if place == len(spread):
                spread.append(next(weights))
            product = take("winograd.product", (*seen.shape[:2], spread[place].shape[2]), weight.dtype)
            np.matmul(seen, spread[place], out=product)
            result = take("winograd.result", target[..., few].shape, weight.dtype)
            _mix(outputs, product, result.reshape(16, -1))
            np.copyto(target[..., few], result)


def hebbian(pre, post, change):
    """change += sum of pre outer post."""
    _, kernel, _ = _transforms(pre.dtype)
    for part in _samples(pre, post.shape[-1]):
        seen = _seen(pre[part], "winograd.seen").swapaxes(1, 2)
        for few in _channels(post.shape[-1]):
            sent = _sent(post[part][..., few])
            product = take("winograd.product", (PATCH**2, seen.shape[1], sent.shape[2]), pre.dtype)
            np.matmul(seen, sent, out=product)
            summed = take("winograd.summed", (3, 3, *product.shape[1:]), pre.dtype)
            _mix(kernel.T, product, summed.reshape(9, -1))
            change[..., few] += summed


def deliver(post, weight, error):
    """error = B^T post."""
    _, _, inputs = _transforms(weight.dtype)
    channels, weights = _channels(weight.shape[3]), _spread(weight, transposed=True)
    spread = []
    for part in _samples(error, weight.shape[3]):
        view = _patches(take("winograd.pad", (len(error[part]), error.shape[1] + 2, error.shape[2] + 2, error.shape[3]), error.dtype))
        total = take("winograd.seen", (PATCH**2, view[0, 0, ..., 0].size, view.shape[-1]), error.dtype)
        for place, few in enumerate(channels):
            if place == len(spread):
                spread.append(next(weights))
            sent = _sent(post[part][..., few])
            if place:
                product = take("winograd.product", total.shape, error.dtype)
                np.matmul(sent, spread[place], out=product)
                total += product
            else:
                np.matmul(sent, spread[place], out=total)
        patches = take("winograd.patches", view.shape, error.dtype)
        _mix(inputs.T, total, patches.reshape(PATCH**2, -1))
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
