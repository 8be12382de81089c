"""Error units that compare patches, a row of anchors at a time; `neurosim.kernels.reference_patches` specifies them."""

import numpy as np


def _shifts(patches, grid, negatives, negative):
    """Yield (k, anchors ``(N, G)``, right ones ``(N, G - k - 2, G)``, wrong ones ``(N, (G - k - 2) negatives, G)``)."""
    number, start = np.arange(patches).reshape(-1, grid, grid), 0
    for k in range(grid - 2):
        shape = (len(number), (grid - k - 2) * negatives, grid)
        stop = start + int(np.prod(shape))
        yield k, number[:, k], number[:, k + 2 :], negative[start:stop].reshape(shape)
        start = stop


def gaze(view, negative, error, value, *, grid, negatives, margin_positive, margin_negative):
    """See `neurosim.kernels.reference_patches.gaze`."""
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


def _anchors(view, grid):
    """The anchors of all rows but the last two, ``(G - 2, N, G, P, D)``."""
    return view.reshape(-1, grid, grid, *view.shape[1:])[:, : grid - 2].swapaxes(0, 1)


def predict(view, weight, prediction, *, grid):
    """See `neurosim.kernels.reference_patches.predict`."""
    np.matmul(_anchors(view, grid), weight[:, None, None], out=prediction)


def clapp(view, prediction, negative, error, factor, value, *, grid, negatives):
    """See `neurosim.kernels.reference_patches.clapp`."""
    error.fill(0)
    factor.fill(0)
    for k, _, right, wrong in _shifts(len(view), grid, negatives, negative):
        expected = prediction[k][:, None]
        for others, sense in ((right, -1), (wrong, 1)):
            met = view[others]
            hinge = 1 + sense * (met * expected).sum(axis=(3, 4))
            active = hinge > 0
            weight = 1 / hinge.size
            share = (sense * weight * active)[..., None, None].astype(view.dtype)
            np.add.at(error, others, share * expected)
            factor[k] += (share * met).sum(axis=1)
            value += (weight * float(hinge[active].sum()), int(active.sum()), hinge.size)


def deliver_prediction(factor, weight, error, *, grid):
    """See `neurosim.kernels.reference_patches.deliver_prediction`."""
    anchors = _anchors(error, grid)
    anchors += np.matmul(factor, weight.swapaxes(1, 2)[:, None, None])


def hebbian_prediction(view, factor, change, *, grid):
    """See `neurosim.kernels.reference_patches.hebbian_prediction`."""
    units = view.shape[2]
    anchors = _anchors(view, grid).reshape(len(factor), -1, units)
    np.matmul(anchors.swapaxes(1, 2), factor.reshape(len(factor), -1, units), out=change)
