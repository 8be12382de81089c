"""The specification of interneurons: naive loops."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.kernels import interneurons
from neurosim.kernels.places import places, taps


@interneurons.sum_field.reference
def sum_field(activity: Array, total: Array, *, side: int, scale: float) -> None:
    """``m[n, r, c] = scale sum of x over the field and its channels``, 0 outside.

    Args:
        activity: ``(N, R, C, I)``.
        total: ``(N, R, C, 1)`` or ``(N, 4, R/2, C/2, 1)``, written.
        side: T. scale: fixed and equal weights of all connections.
    """
    for n in range(len(activity)):
        for index, row, column in places(total):
            found = (activity[n, r, c].sum() for _, _, r, c in taps(activity.shape, row, column, side))
            total[(n, *index, 0)] = scale * sum(found)


@interneurons.inhibit_place.reference
def inhibit_place(presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u[..., d] -= sum_k v[k, d] m[..., k]``; presynaptic ``(N, ..., K)``, weight ``(K, D)``, potential ``(N, ..., D)``."""
    for place in np.ndindex(potential.shape[:-1]):
        for k, d in np.ndindex(weight.shape):
            potential[(*place, d)] -= weight[k, d] * presynaptic[(*place, k)]


@interneurons.hebbian_place.reference
def hebbian_place(pre: Array, post: Array, change: Array) -> None:
    """Outer product: ``change[k, d] += sum over samples and places of m[..., k] y[..., d]``."""
    for place in np.ndindex(post.shape[:-1]):
        for k, d in np.ndindex(change.shape):
            change[k, d] += pre[(*place, k)] * post[(*place, d)]
