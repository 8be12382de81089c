"""The specification of the kernels on patches, one patch at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.core.typing import Array
from neurosim.kernels.patches import clapp, deliver_prediction, gaze, hebbian_prediction, predict


def _shifts(
    patches: int, grid: int, negatives: int, negative: Array
) -> Iterator[tuple[int, int, int, int, list[int], list[int]]]:
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


@gaze.reference
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
    """Gaze shifts: ``sum [d(z_anchor, z_right) - m+]_+ + sum [m- - d(z_anchor, z_wrong)]_+``, d the L1 distance.

    Additions, subtractions and comparisons, as in the contrastive hinge of two views. Source: Tang, Yang, Amit 2022.

    Args:
        view: ``(N G G, D)``.
        negative: the random patches, ``(comparison,)``.
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


@predict.reference
def _(view: Array, weight: Array, prediction: Array, *, grid: int) -> None:
    """What row k expects of the rows ahead: ``p[k, n, c, q] = W_k z_anchor[q]`` at every place q.

    Args:
        view: ``(N G G, P, D)``.
        weight: ``(G - 2, D, D)``, in, then out.
        prediction: ``(G - 2, N, G, P, D)``, written.
    """
    for k, n, c, q, u in np.ndindex(prediction.shape):
        anchor = (n * grid + k) * grid + c
        prediction[k, n, c, q, u] = sum(view[anchor, q, i] * weight[k, i, u] for i in range(view.shape[2]))


@clapp.reference
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
    """CLAPP: ``sum_k mean [1 - <z_right, p>]_+ + mean [1 + <z_wrong, p>]_+``; the error of all but the anchors.

    Scores are inner products of activities: it breaks condition (ii). Source: Illing et al., NeurIPS 2021.

    Args:
        view: ``(N G G, P, D)``.
        prediction: ``(G - 2, N, G, P, D)``.
        negative: the random patches, ``(comparison,)``.
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


@deliver_prediction.reference
def _(factor: Array, weight: Array, error: Array, *, grid: int) -> None:
    """The anchors' error: ``e_anchor[q] += W_k^T factor[k, n, c, q]``, through the transposed predictions.

    Args:
        factor: ``(G - 2, N, G, P, D)``.
        weight: ``(G - 2, D, D)``.
        error: ``(N G G, P, D)``, added to.
    """
    for k, n, c, q in np.ndindex(factor.shape[:4]):
        for i in range(weight.shape[1]):
            sent = sum(weight[k, i, u] * factor[k, n, c, q, u] for u in range(weight.shape[2]))
            error[(n * grid + k) * grid + c, q, i] += sent


@hebbian_prediction.reference
def _(view: Array, factor: Array, change: Array, *, grid: int) -> None:
    """Outer product: ``change[k] = sum over n, c, q of z_anchor[q] (x) factor[k, n, c, q]``.

    Args:
        view: ``(N G G, P, D)``.
        factor: ``(G - 2, N, G, P, D)``.
        change: ``(G - 2, D, D)``, written.
    """
    change[...] = 0
    for k, n, c, q in np.ndindex(factor.shape[:4]):
        change[k] += np.outer(view[(n * grid + k) * grid + c, q], factor[k, n, c, q])
