"""Inverse paths of the CPU: products for the nine taps, then sums of long lines."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels import inverse


@inverse.upconvolve.cpu
def upconvolve(presynaptic: Array, weight: Array, potential: Array) -> None:
    """Products for each of the nine taps, then sums.

    An even column receives tap 1; the odd one after it receives tap 2 from the same place and tap 0 from the next. So
    do the rows. Taps 1 and 2 of a row are one product, whose results are a row of the potentials.
    """
    n, rows, columns, channels = presynaptic.shape
    units = weight.shape[3]
    right = thread_local("right taps", (3, channels, 2, units), weight.dtype)
    np.copyto(right, weight[:, 1:].swapaxes(1, 2))
    wide = thread_local("columns", (3, n, rows, columns * 2 * units), potential.dtype)
    narrow = thread_local("narrow", (3, n, rows, columns, units), potential.dtype)
    places = presynaptic.reshape(-1, channels)
    np.matmul(places, right.reshape(3, channels, -1), out=wide.reshape(3, len(places), -1))
    np.matmul(places, weight[:, 0], out=narrow.reshape(3, len(places), -1))
    lines = potential.reshape(n, rows, 2, -1)
    lines[:, :, 0] = wide[1]
    np.add(wide[2, :, :-1], wide[0, :, 1:], out=lines[:, :-1, 1])
    lines[:, -1, 1] = wide[2, :, -1]
    narrow[2, :, :-1] += narrow[0, :, 1:]
    odd = potential.reshape(n, rows, 2, columns, 2, units)[..., :-1, 1, :]
    odd[:, :, 0] += narrow[1, :, :, 1:]
    odd[:, :, 1] += narrow[2, :, :, 1:]


@inverse.hebbian_upconvolution.cpu
def hebbian_upconvolution(pre: Array, post: Array, change: Array) -> None:
    """The factor's shifts, products as in `upconvolve`."""
    n, rows, columns, channels = pre.shape
    units = post.shape[3]
    lines = post.reshape(n, rows, 2, -1)
    wide = thread_local("columns", (3, n, rows, columns, 2, units), post.dtype)
    flat = wide.reshape(3, n, rows, -1)
    # Tap 0 sends to the odd row, or column, before a place: what place 0 would send falls outside.
    flat[0, :, 0] = 0
    flat[0, :, 1:] = lines[:, :-1, 1]
    flat[1:] = lines.transpose(2, 0, 1, 3)
    narrow = thread_local("narrow", (3, n, rows, columns, units), post.dtype)
    narrow[:, :, :, 0] = 0
    narrow[:, :, :, 1:] = wide[:, :, :, :-1, 1]
    places = pre.reshape(-1, channels).T
    right = thread_local("product", (3, channels, 2, units), change.dtype)
    left = thread_local("left taps", (3, channels, units), change.dtype)
    np.matmul(places, wide.reshape(3, -1, 2 * units), out=right.reshape(3, channels, -1))
    np.matmul(places, narrow.reshape(3, -1, units), out=left)
    change[:, 1:] += right.swapaxes(1, 2)
    change[:, 0] += left
