"""The kernels on patches on NumPy arrays, a row of anchors at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.core.typing import Array
from neurosim.kernels.patches import clapp, deliver_prediction, gaze, hebbian_prediction, predict


def _shifts(patches: int, grid: int, negatives: int, negative: Array) -> Iterator[tuple[int, Array, Array, Array]]:
    """Yield (k, anchors ``(N, G)``, right ones ``(N, G - k - 2, G)``, wrong ones ``(N, (G - k - 2) negatives, G)``)."""
    number, start = np.arange(patches).reshape(-1, grid, grid), 0
    for k in range(grid - 2):
        shape = (len(number), (grid - k - 2) * negatives, grid)
        stop = start + int(np.prod(shape))
        yield k, number[:, k], number[:, k + 2 :], negative[start:stop].reshape(shape)
        start = stop


def _anchors(view: Array, grid: int) -> Array:
    """The anchors of all rows but the last two, ``(G - 2, N, G, P, D)``."""
    return view.reshape(-1, grid, grid, *view.shape[1:])[:, : grid - 2].swapaxes(0, 1)


@gaze.cpu
def _(
    view: Array,
    negative: Array,
    error: Array,
    value: Array,
    *,
    grid: int,
    negatives: int,
    margin_positive: float,
    margin_negative: float,
) -> None:
    error.fill(0)
    for _, anchor, right, wrong in _shifts(len(view), grid, negatives, negative):
        for others, sense, margin in ((right, 1, margin_positive), (wrong, -1, margin_negative)):
            apart = view[others] - view[anchor][:, None]
            hinge = sense * (np.abs(apart).sum(axis=3) - margin)
            active = hinge > 0
            delta = np.sign(apart)
            delta *= (sense * active)[..., None].astype(view.dtype)
            np.add.at(error, others, delta)
            error[anchor] -= delta.sum(axis=1)
            value += (float(hinge[active].sum()), int(active.sum()), hinge.size)


@predict.cpu
def _(view: Array, weight: Array, prediction: Array, *, grid: int) -> None:
    np.matmul(_anchors(view, grid), weight[:, None, None], out=prediction)


@clapp.cpu
def _(
    view: Array,
    prediction: Array,
    negative: Array,
    error: Array,
    factor: Array,
    value: Array,
    *,
    grid: int,
    negatives: int,
) -> None:
    error.fill(0)
    factor.fill(0)
    for k, _, right, wrong in _shifts(len(view), grid, negatives, negative):
        expected = prediction[k][:, None]
        for others, sense in ((right, -1), (wrong, 1)):
            activity = view[others]
            hinge = 1 + sense * (activity * expected).sum(axis=(3, 4))
            active = hinge > 0
            weight = 1 / hinge.size
            share = (sense * weight * active)[..., None, None].astype(view.dtype)
            np.add.at(error, others, share * expected)
            factor[k] += (share * activity).sum(axis=1)
            value += (weight * float(hinge[active].sum()), int(active.sum()), hinge.size)


@deliver_prediction.cpu
def _(factor: Array, weight: Array, error: Array, *, grid: int) -> None:
    anchors = _anchors(error, grid)
    anchors += np.matmul(factor, weight.swapaxes(1, 2)[:, None, None])


@hebbian_prediction.cpu
def _(view: Array, factor: Array, change: Array, *, grid: int) -> None:
    units = view.shape[2]
    anchors = _anchors(view, grid).reshape(len(factor), -1, units)
    np.matmul(anchors.swapaxes(1, 2), factor.reshape(len(factor), -1, units), out=change)
