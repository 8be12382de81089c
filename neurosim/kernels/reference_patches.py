"""The specification of the error units that compare patches of one picture, one patch at a time in float64.

The rows of ``view`` are N pictures of G x G patches, picture by picture, row by row. The patch in row k of the grid is
the *anchor* of the patches in rows k+2.. of its column; each of these comes with so many random patches of the batch.
``negative`` holds those: for k = 0, 1, ... the numbers ``(N, (G - k - 2) x negatives, G)``, one after another.
Every kernel leaves in ``error`` the derivative of its loss by the activity, and adds to ``value`` the loss, the number of
active comparisons and the number of comparisons. D units; P places, at each of which a patch has D channels.
"""

import numpy as np


def _shifts(patches, grid, negatives, negative):
    """Yield (k, picture, column, anchor, patches of the same column two rows ahead and more, random patches)."""
    pictures, start = patches // grid**2, 0
    for k in range(grid - 2):
        rows = (grid - k - 2) * negatives
        for n in range(pictures):
            for c in range(grid):
                right = [(n * grid + row) * grid + c for row in range(k + 2, grid)]
                wrong = [negative[start + (n * rows + row) * grid + c] for row in range(rows)]
                yield k, n, c, (n * grid + k) * grid + c, right, wrong
        start += pictures * rows * grid


def gaze(view, negative, error, value, *, grid, negatives, margin_positive, margin_negative):
    """Gaze shifts: ``sum [d(z_anchor, z_right) - m+]_+ + sum [m- - d(z_anchor, z_wrong)]_+``, d the L1 distance.

    Additions, subtractions and comparisons, as in the contrastive hinge of two views. Source: Tang, Yang, Amit 2022.

    Args:
        view: ``(N G G, D)``.
        negative: int64, see above.
        error: ``(N G G, D)``, written.
        value: ``(3,)``, added to.
    """
    error[...] = 0
    for _, _, _, anchor, right, wrong in _shifts(len(view), grid, negatives, negative):
        pairs = [(other, 1, margin_positive) for other in right] + [(other, -1, margin_negative) for other in wrong]
        for other, sense, margin in pairs:
            hinge = sense * (np.abs(view[other] - view[anchor]).sum() - margin)
            value[2] += 1
            if hinge > 0:
                value[:2] += hinge, 1
                delta = sense * np.sign(view[other] - view[anchor])
                error[other] += delta
                error[anchor] -= delta


def predict(view, weight, prediction, *, grid):
    """What row k expects of the rows ahead: ``p[k, n, c, q] = W_k z_anchor[q]`` at every place q.

    Args:
        view: ``(N G G, P, D)``.
        weight: ``(G - 2, D, D)``, in, then out.
        prediction: ``(G - 2, N, G, P, D)``, written.
    """
    for k, n, c, q, u in np.ndindex(prediction.shape):
        anchor = (n * grid + k) * grid + c
        prediction[k, n, c, q, u] = sum(view[anchor, q, i] * weight[k, i, u] for i in range(view.shape[2]))


def clapp(view, prediction, negative, error, factor, value, *, grid, negatives):
    """CLAPP: ``sum_k mean [1 - <z_right, p>]_+ + mean [1 + <z_wrong, p>]_+``; the error of all but the anchors.

    Scores are inner products of activities: it breaks condition (ii). Source: Illing et al., NeurIPS 2021.

    Args:
        view: ``(N G G, P, D)``.
        prediction: ``(G - 2, N, G, P, D)``.
        negative: int64, see above.
        error: ``(N G G, P, D)``, written: what reaches the patches compared with a prediction.
        factor: ``(G - 2, N, G, P, D)``, written: the derivative by the prediction.
        value: ``(3,)``, added to.
    """
    error[...] = factor[...] = 0
    pictures = len(view) // grid**2
    for k, n, c, _, right, wrong in _shifts(len(view), grid, negatives, negative):
        for sense, others in ((-1, right), (1, wrong)):
            weight = 1 / (pictures * grid * len(others))
            for other in others:
                hinge = 1 + sense * (view[other] * prediction[k, n, c]).sum()
                value[2] += 1
                if hinge > 0:
                    value[:2] += weight * hinge, 1
                    error[other] += sense * weight * prediction[k, n, c]
                    factor[k, n, c] += sense * weight * view[other]


def deliver_prediction(factor, weight, error, *, grid):
    """The anchors' error: ``e_anchor[q] += W_k^T factor[k, n, c, q]``, through the transposed predictions.

    Args:
        factor: ``(G - 2, N, G, P, D)``.
        weight: ``(G - 2, D, D)``.
        error: ``(N G G, P, D)``, added to.
    """
    for k, n, c, q in np.ndindex(factor.shape[:4]):
        for i in range(weight.shape[1]):
            error[(n * grid + k) * grid + c, q, i] += sum(weight[k, i, u] * factor[k, n, c, q, u] for u in range(weight.shape[2]))


def hebbian_prediction(view, factor, change, *, grid):
    """Outer product: ``change[k] = sum over n, c, q of z_anchor[q] (x) factor[k, n, c, q]``.

    Args:
        view: ``(N G G, P, D)``.
        factor: ``(G - 2, N, G, P, D)``.
        change: ``(G - 2, D, D)``, written.
    """
    change[...] = 0
    for k, n, c, q in np.ndindex(factor.shape[:4]):
        change[k] += np.outer(view[(n * grid + k) * grid + c, q], factor[k, n, c, q])
