"""Convolutions of the CPU: in tiles where they fit, else im2col into a cache-sized scratch and matrix products.

Few channels make short runs of columns: a place reads three pixels of three colours a row. There the columns lie
turned, all places of a tap side by side (`_tap_blocks`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels import convolution
from neurosim.kernels.convolution import bands, tiles
from neurosim.kernels.places import before, padded


@convolution.convolve.cpu
def convolve(presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u = W * x``."""
    if tiles.fits(presynaptic.shape, weight):
        tiles.convolve(presynaptic, weight, potential)
        return
    if weight.shape[2] <= tuning.CPU.few_channels and len(weight) == 3:
        _convolve_few(presynaptic, weight, potential)
        return
    if bands.fits(weight, potential):
        bands.convolve(presynaptic, weight, potential)
        return
    matrix = weight.reshape(-1, weight.shape[-1])
    for start, stop, columns in _column_blocks(presynaptic, potential.ndim == 5, len(weight)):
        np.matmul(columns, matrix, out=potential[start:stop].reshape(len(columns), -1))


@convolution.hebbian_convolution.cpu
def hebbian_convolution(pre: Array, post: Array, change: Array) -> None:
    """``change += sum of pre outer post``."""
    if tiles.fits(pre.shape, change):
        tiles.hebbian(pre, post, change)
        return
    if change.shape[2] <= tuning.CPU.few_channels and len(change) == 3:
        _hebbian_few(pre, post, change)
        return
    matrix = change.reshape(-1, change.shape[-1])
    product = thread_local("product", matrix.shape, matrix.dtype)
    for start, stop, columns in _column_blocks(pre, post.ndim == 5, len(change)):
        np.matmul(columns.T, post[start:stop].reshape(len(columns), -1), out=product)
        matrix += product


@convolution.deliver_convolution.cpu
def deliver_convolution(post: Array, weight: Array, error: Array) -> None:
    """``error = B^T post``."""
    if tiles.fits(error.shape, weight):
        tiles.deliver(post, weight, error)
        return
    # Scattering moves in numbers a place and tap, gathering out numbers; matrix products are faster the wider they are.
    if weight.shape[3] >= 4 * weight.shape[2]:
        _deliver_by_scatter(post, weight, error)
    else:
        _deliver_by_gather(post, weight, error)


# -- columns: a row of a matrix for each place


def _windows(pad: Array, pooled: bool, side: int) -> Array:
    """Every patch of a padded block, as a strided view: one run of pixels for each row of a patch."""
    n, rows, columns, channels = pad.shape
    rows, columns = rows - side + 1, columns - side + 1
    s, r, c, e = pad.strides
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    if pooled:
        shape = (n, 2, 2, rows // 2, columns // 2, side, side * channels)
        strides = (s, r, c, 2 * r, 2 * c, r, e)
    else:
        shape, strides = (n, rows, columns, side, side * channels), (s, r, c, r, e)
    return np.ndarray(shape, pad.dtype, pad, 0, strides)


def _column_blocks(plain: Array, pooled: bool, side: int) -> Iterator[tuple[int, int, Array]]:
    """Yield (start, stop, columns) with columns ``(patch, tap and channel)``, a few samples at a time."""
    n, rows, columns, channels = plain.shape
    pad = padded(plain, "pad", before(side), side - 1 - before(side))
    step = max(1, tuning.CPU.column_bytes // (rows * columns * side**2 * channels * plain.itemsize))
    for start in range(0, n, step):
        part = _windows(pad[start : start + step], pooled, side)
        block = thread_local("columns", part.shape, plain.dtype)
        np.copyto(block, part)
        yield start, start + len(part), block.reshape(-1, side**2 * channels)


def _in_place(post: Array, name: str, above: int, below: int) -> Array:
    """``(sample, window, row, column, channel)`` put back at its places, with a border of zeros as in `padded`."""
    if post.ndim == 4:
        return padded(post, name, above, below) if above or below else post
    n, _, rows, columns, channels = post.shape
    border = above + below
    full = thread_local(name, (n, 2 * rows + border, 2 * columns + border, channels), post.dtype)
    full[:, :above] = full[:, above + 2 * rows :] = 0
    full[:, :, :above] = full[:, :, above + 2 * columns :] = 0
    for place in range(4):
        down = slice(above + place // 2, above + 2 * rows, 2)
        across = slice(above + place % 2, above + 2 * columns, 2)
        full[:, down, across] = post[:, place]
    return full


def _deliver_by_gather(post: Array, weight: Array, error: Array) -> None:
    """The transposed convolution as a convolution of the error with the kernel turned by half a turn."""
    (n, rows, columns, channels), side = error.shape, len(weight)
    turned = thread_local("turned", (side, side, weight.shape[3], channels), weight.dtype)
    np.copyto(turned, weight[::-1, ::-1].transpose(0, 1, 3, 2))
    matrix = turned.reshape(-1, channels)
    pad = _in_place(post, "pad", side - 1 - before(side), before(side))
    step = max(1, tuning.CPU.column_bytes // (rows * columns * side**2 * weight.shape[3] * post.itemsize))
    for start in range(0, n, step):
        part = _windows(pad[start : start + step], False, side)
        block = thread_local("columns", part.shape, post.dtype)
        np.copyto(block, part)
        np.matmul(block.reshape(-1, len(matrix)), matrix, out=error[start : start + step].reshape(-1, channels))


def _deliver_by_scatter(post: Array, weight: Array, error: Array) -> None:
    """Every place sends its error to the places of its field that it came from."""
    (n, rows, columns, channels), side = error.shape, len(weight)
    plain, above = _in_place(post, "pad", 0, 0), before(side)
    sent = thread_local("columns", (n, rows, columns, side, side, channels), post.dtype)
    matrix = weight.reshape(-1, weight.shape[3])
    np.matmul(plain.reshape(-1, weight.shape[3]), matrix.T, out=sent.reshape(-1, len(matrix)))
    total = thread_local("total", (n, rows + side - 1, columns + side - 1, channels), post.dtype)
    total.fill(0)
    for i in range(side):
        for j in range(side):
            total[:, i : i + rows, j : j + columns] += sent[:, :, :, i, j]
    np.copyto(error, total[:, above : above + rows, above : above + columns])


# -- few channels: a row of a matrix for each tap


def _tap_blocks(plain: Array, stride: int) -> Iterator[tuple[slice, int, Array]]:
    """Yield (samples, row in the window, taps), a few samples at a time: the pixels that a row of the window reads.

    Taps are ``(sample, 1, row, column and channel of the pixel, place)``.
    """
    n, rows, columns, channels = plain.shape
    side = stride + 2
    step = max(1, tuning.CPU.column_bytes // (side**2 * plain[0].nbytes // stride**2))
    for start in range(0, n, step):
        part = plain[start : start + step]
        pad = thread_local("pad", (len(part), channels, rows + 2, columns + 2), plain.dtype)
        pad[:, :, 0] = pad[:, :, -1] = 0
        pad[..., 0] = pad[..., -1] = 0
        pad[:, :, 1:-1, 1:-1] = np.moveaxis(part, 3, 1)
        s, c, r, e = pad.strides
        shape = (len(part), side, side, channels, rows // stride, columns // stride)
        taps = thread_local("columns", shape, plain.dtype)
        np.copyto(taps, np.ndarray(shape, pad.dtype, pad, 0, (s, r, e, c, stride * r, stride * e)))
        for row in range(stride):
            samples = slice(start, start + len(part))
            yield samples, row, taps[:, row : row + 3].reshape(len(part), 1, 3 * side * channels, -1)


def _windows_of(maps: Array) -> Array:
    """``(sample, row and column in the window, place, channel)``; unpooled maps have windows of one place."""
    stride = 2 if maps.ndim == 5 else 1
    return maps.reshape(len(maps), stride, stride, -1, maps.shape[-1])


def _convolve_few(presynaptic: Array, weight: Array, potential: Array) -> None:
    """Every place of a window reads the taps of its three rows, with weights 0 for the column that is not its own."""
    windows = _windows_of(potential)
    stride = windows.shape[1]
    wide = thread_local("wide", (stride, 3, stride + 2, *weight.shape[2:]), weight.dtype)
    wide.fill(0)
    for column in range(stride):
        wide[column, :, column : column + 3] = weight
    matrices = wide.reshape(stride, -1, weight.shape[3])
    for samples, row, taps in _tap_blocks(presynaptic, stride):
        np.matmul(taps.swapaxes(2, 3), matrices, out=windows[samples, row])


def _hebbian_few(pre: Array, post: Array, change: Array) -> None:
    """The sums of `_convolve_few` the other way round."""
    windows = _windows_of(post)
    stride = windows.shape[1]
    for samples, row, taps in _tap_blocks(pre, stride):
        product = thread_local("product", (len(taps), stride, taps.shape[2], post.shape[-1]), change.dtype)
        np.matmul(taps, windows[samples, row], out=product)
        found = product.sum(axis=0).reshape(stride, 3, stride + 2, *change.shape[2:])
        for column in range(stride):
            change += found[column, :, column : column + 3]
