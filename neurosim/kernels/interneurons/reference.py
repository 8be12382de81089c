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
        total: ``(N, R, C, 1)``, written.
        side: T. scale: fixed and equal weights of all connections.
    """
    for n in range(len(activity)):
        for row, column in np.ndindex(total.shape[1:3]):
            found = (activity[n, r, c].sum() for _, _, r, c in taps(activity.shape, row, column, side))
            total[n, row, column, 0] = scale * sum(found)


@interneurons.inhibit_place.reference
def inhibit_place(presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u[n, r, c, o] -= sum_k v[k, o] m[n, r, c, k]``.

    Args:
        presynaptic: ``(N, R, C, I)``.
        weight: ``(1, 1, I, O)``.
        potential: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)``, updated.
    """
    for n in range(len(presynaptic)):
        for index, row, column in places(potential):
            for k, o in np.ndindex(weight.shape[2:]):
                potential[(n, *index, o)] -= weight[0, 0, k, o] * presynaptic[n, row, column, k]
