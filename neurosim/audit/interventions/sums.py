"""Sums of outer products of whole arrays in float64: what `neurosim.audit.interventions.products.terms` sums, at once."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neurosim.core.typing import Array

TAPS = tuple(product(range(3), range(3)))


def sums_of(pre: Array, post: Array, shape: tuple[int, ...]) -> Array:
    """What every synapse of an array sums.

    Args:
        pre: presynaptic activities, as for `neurosim.audit.interventions.products.terms`.
        post: postsynaptic factors, likewise.
        shape: of the array.

    Returns:
        float64, of that shape.
    """
    pre, post = np.asarray(pre, float), np.asarray(post, float)
    if len(shape) == 3:
        return _of_predictions(pre, post)
    if pre.shape == (1,):  # the constant unit of a bias
        total: Array = (pre[0] * post.reshape(-1, shape[-1]).sum(axis=0)).reshape(shape)
        return total
    if len(shape) == 2:
        dense: Array = pre.reshape(len(pre), -1).T @ post.reshape(len(post), -1)
        return dense
    post = unfolded(post)
    if post.shape[1] == 2 * pre.shape[1]:
        return _of_upward(pre, post)
    return _of_convolution(pre, post, shape[0]) if len(shape) == 4 else _of_places(pre, post).reshape(shape)


def _padded(maps: Array) -> Array:
    return np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)))


def _of_convolution(pre: Array, post: Array, side: int) -> Array:
    """Fields of ``side x side`` places, of which ``(side - 1) // 2`` lie above and left of the middle."""
    rows, columns = post.shape[1:3]
    border, over = ((side - 1) // 2, side // 2), (0, 1, 2)
    seen, places = np.pad(pre, ((0, 0), border, border, (0, 0))), product(range(side), range(side))
    taps = [np.tensordot(seen[:, i : i + rows, j : j + columns], post, (over, over)) for i, j in places]
    return np.reshape(taps, (side, side, *taps[0].shape))


def _of_upward(pre: Array, post: Array) -> Array:
    """A projection to twice the rows and columns."""
    rows, columns = pre.shape[1:3]
    sent, over = _padded(post), (0, 1, 2)
    taps = [np.tensordot(pre, sent[:, i::2, j::2][:, :rows, :columns], (over, over)) for i, j in TAPS]
    return np.reshape(taps, (3, 3, *taps[0].shape))


def _of_places(pre: Array, post: Array) -> Array:
    """Weights of every place's own."""
    rows, columns = post.shape[1:3]
    seen, there = _padded(pre), post.transpose(1, 2, 0, 3)
    found = np.empty((rows, columns, 3, 3, pre.shape[3], post.shape[3]))
    for i, j in TAPS:
        found[:, :, i, j] = seen[:, i : i + rows, j : j + columns].transpose(1, 2, 3, 0) @ there
    return found


def _of_predictions(view: Array, factor: Array) -> Array:
    """Predictions: view ``(picture x grid x grid, place, unit)``, factor ``(row, picture, grid, place, unit)``."""
    rows, pictures, grid, _, units = factor.shape
    seen = view.reshape(pictures, grid, grid, -1, units)[:, :rows].swapaxes(0, 1)
    found: Array = np.einsum("kncqi,kncqu->kiu", seen, factor, optimize=True)
    return found


def unfolded(post: Array) -> Array:
    """``(sample, window, row, column, channel)`` put back at its places; the rest as it is."""
    if post.ndim != 5:
        return post
    n, _, rows, columns, channels = post.shape
    windows = post.reshape(n, 2, 2, rows, columns, channels).transpose(0, 3, 1, 4, 2, 5)
    return windows.reshape(n, 2 * rows, -1, channels)
