"""The specification of untied layers: naive loops, one weight at a time."""

from __future__ import annotations

from itertools import product

from neurosim.core.typing import Array
from neurosim.kernels import local
from neurosim.kernels.places import taps


def _at(potential: Array, n: int, row: int, column: int) -> tuple[int, ...]:
    """Index of a place of the picture in ``(N, R, C, O)`` or in pooled ``(N, 4, R/2, C/2, O)``."""
    if potential.ndim == 4:
        return n, row, column
    return n, 2 * (row % 2) + column % 2, row // 2, column // 2


@local.convolve_local.reference
def convolve_local(presynaptic: Array, weight: Array, potential: Array) -> None:
    """Forward projection: ``u[n, r, c, o] = sum_ij,k W[r, c, i, j, k, o] x[n, r + i - 1, c + j - 1, k]``, 0 outside.

    Args:
        presynaptic: ``(N, R, C, I)``.
        weight: ``(R, C, 3, 3, I, O)``.
        potential: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)``, written.
    """
    for n, row, column in product(*map(range, presynaptic.shape[:3])):
        total = 0.0
        for i, j, r, c in taps(presynaptic.shape, row, column):
            for k in range(presynaptic.shape[3]):
                total = total + weight[row, column, i, j, k] * presynaptic[n, r, c, k]
        potential[_at(potential, n, row, column)] = total


@local.deliver_local.reference
def deliver_local(post: Array, weight: Array, error: Array) -> None:
    """Feedback: ``error[n, r + i - 1, c + j - 1, k] = sum_ij,o B[r, c, i, j, k, o] delta[n, r, c, o]``.

    Args:
        post: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)``, the factor of the population above.
        weight: ``(R, C, 3, 3, I, O)``, whichever array the feedback projection owns.
        error: ``(N, R, C, I)``, written.
    """
    error[...] = 0
    for n, row, column in product(*map(range, error.shape[:3])):
        for i, j, r, c in taps(error.shape, row, column):
            for k in range(error.shape[3]):
                error[n, r, c, k] += (weight[row, column, i, j, k] * post[_at(post, n, row, column)]).sum()


@local.hebbian_local.reference
def hebbian_local(pre: Array, post: Array, index: Array, change: Array) -> None:
    """Outer product: ``change[r, c, i, j, k, o] = sum_n x[n, r + i - 1, c + j - 1, k] delta[n, r, c, o]``.

    Args:
        pre: ``(N, R, C, I)`` stored presynaptic activity.
        post: ``(N, r, C, O)`` or ``(N, 4, r, C/2, O)``, some rows of the stored postsynaptic factor.
        index: int64 ``(r,)``, which rows of the factor those are.
        change: ``(r, h, C, 3, 3, I, O)``, written; h rows of the picture make one row of the factor: 2 where pooled.
    """
    height = change.shape[1]
    change[...] = 0
    for row, part, column in product(*map(range, change.shape[:3])):
        picture_row = height * index[row] + part
        for n in range(len(pre)):
            factor = post[_at(post, n, height * row + part, column)]
            for i, j, r, c in taps(pre.shape, picture_row, column):
                for k in range(pre.shape[3]):
                    change[row, part, column, i, j, k] += pre[n, r, c, k] * factor
