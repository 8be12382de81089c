"""The specification of the contrastive hinges, one comparison of two activities at a time."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.kernels.comparison import hinge_all, hinge_lags


def compare(a: Array, b: Array, sense: int, margin: float, weight: float, value: Array) -> Array:
    """One hinge ``weight [sense (d(a, b) - margin)]_+``.

    Args:
        a, b: activities ``(D,)``.
        sense: 1 for activities that belong together, -1 for others.
        margin: ``m+`` or ``m-``.
        weight: of the comparison.
        value: ``(3,)``: the loss, the active and all comparisons are added to it.

    Returns:
        The derivative by b; by a it is the opposite.
    """
    hinge = sense * (np.abs(b - a).sum() - margin)
    value[2] += 1
    if hinge <= 0:
        return np.zeros_like(b)
    value[0] += weight * hinge
    value[1] += 1
    delta: Array = sense * weight * np.sign(b - a)
    return delta


@hinge_all.reference
def _(
    view1: Array,
    view2: Array,
    index: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    margin_positive: float,
    margin_negative: float,
) -> None:
    """Every view 2 against every view 1: ``sum_i [d(z1_i, z2_i) - m+]_+ + sum_{i != k} [m- - d(z1_i, z2_k)]_+``.

    Args:
        view1: ``(N, D)``, every moment's view 1.
        view2: ``(n, D)``, some moments' view 2.
        index: ``(n,)``, which moments those are.
        error2: ``(n, D)``, written.
        value: ``(3,)``, added to.
        error1: ``(N, D)``, added to; None under the gradient block.
    """
    for row, k in enumerate(index):
        error2[row] = 0
        for i in range(len(view1)):
            sense, margin = (1, margin_positive) if i == k else (-1, margin_negative)
            delta = compare(view1[i], view2[row], sense, margin, 1, value)
            error2[row] += delta
            if error1 is not None:
                error1[i] -= delta


@hinge_lags.reference
def _(
    trace: Array,
    cursor: Array,
    view2: Array,
    index: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    pairs: int,
    lags: int,
    negative_weight: float,
    margin_positive: float,
    margin_negative: float,
) -> None:
    """``sum_i [d(z1_i, z2_i) - m+]_+ + w sum_{lag=1}^{K-1} sum_i [m- - d(z1_i, z2_{i+lag})]_+``.

    The sum goes over the moments of the stream: memories of earlier batches count, moments before its beginning do not.

    Args:
        trace: ``(capacity, D)``, the ring of view 1 activities, this batch's already stored.
        cursor: ``(1,)``, how many were ever stored.
        view2, index, error2, value: as for `hinge_all`, of moments of this batch.
        error1: ``(pairs, D)``, added to; None under the gradient block. Memories of earlier batches receive no error.
        pairs: N, the moments of this batch.
        lags: K, the positive and K - 1 negatives.
        negative_weight: w, 1/K as published.
    """
    for row, k in enumerate(index):
        error2[row] = 0
        for lag in range(lags):
            moment = cursor[0] - pairs + k - lag
            if moment < 0:
                continue
            sense, margin, weight = (1, margin_positive, 1.0) if lag == 0 else (-1, margin_negative, negative_weight)
            delta = compare(trace[moment % len(trace)], view2[row], sense, margin, weight, value)
            error2[row] += delta
            if error1 is not None and k - lag >= 0:
                error1[k - lag] -= delta
