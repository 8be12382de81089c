"""Untied layers on the CPU: a row of the picture at a time, one matrix product a place.

No place shares a weight, so each is read once for all the samples of a block.
"""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels import local
from neurosim.kernels.places import padded


def _patches(pad: Array, row: int) -> Array:
    """The 3 x 3 patches around every place of a row of the picture, ``(column, sample, 9 x in)``."""
    n, _, columns, channels = pad.shape
    s, r, c, e = pad.strides
    shape, strides = (columns - 2, n, 3, 3 * channels), (c, s, r, e)
    patches = thread_local("local.patches", shape, pad.dtype)
    np.copyto(patches, np.ndarray(shape, pad.dtype, pad, row * r, strides))
    return patches.reshape(columns - 2, n, -1)


def _row(full: Array, row: int) -> Array:
    """A row of the picture in ``(sample, row, column, out)``, pooled or not, as a view ``(column.., sample, out)``."""
    if full.ndim == 4:
        return full[:, row].transpose(1, 0, 2)
    return full[:, 2 * (row % 2) : 2 * (row % 2) + 2, row // 2].transpose(2, 1, 0, 3)


@local.convolve_local.cpu
def convolve_local(presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u = W * x`` with weights of its own at every place."""
    pad = padded(presynaptic, "local.pad")
    for row in range(len(weight)):
        out = _row(potential, row)
        patches = _patches(pad, row).reshape(*out.shape[:-1], -1)
        np.matmul(patches, weight[row].reshape(*out.shape[:-2], -1, out.shape[-1]), out=out)


@local.deliver_local.cpu
def deliver_local(post: Array, weight: Array, error: Array) -> None:
    """``error = B^T post``, B of each place's own."""
    n, rows, columns, channels = error.shape
    total = thread_local("local.pad", (n, rows + 2, columns + 2, channels), error.dtype)
    total.fill(0)
    sent = thread_local("local.patches", (columns, n, 3, 3, channels), error.dtype)
    for row in range(rows):
        factor = _row(post, row)
        matrix = weight[row].reshape(*factor.shape[:-2], -1, factor.shape[-1])
        np.matmul(factor, matrix.swapaxes(-1, -2), out=sent.reshape(*factor.shape[:-1], -1))
        for i in range(3):
            for j in range(3):
                total[:, row + i, j : j + columns] += sent[:, :, i, j].swapaxes(0, 1)
    np.copyto(error, total[:, 1:-1, 1:-1])


@local.hebbian_local.cpu
def hebbian_local(pre: Array, post: Array, index: Array, change: Array) -> None:
    """``change = pre outer post`` at every place."""
    pad, height = padded(pre, "local.pad"), change.shape[1]
    for row in range(len(index)):
        for part in range(height):
            factor = _row(post, height * row + part)
            patches = _patches(pad, height * int(index[row]) + part).reshape(*factor.shape[:-1], -1)
            matrix = change[row, part].reshape(*factor.shape[:-2], -1, factor.shape[-1])
            np.matmul(patches.swapaxes(-1, -2), factor, out=matrix)
