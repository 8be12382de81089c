"""The specification of untied layers: every place of the picture has 3 x 3 weights of its own, one at a time.

Symbols as in `neurosim.kernels.reference`. The weights are ``(R, C, 3, 3, I, O)``: R and C are the rows and columns of
the picture that is read, before any pool. Source: Amit 2019, section 2.3: no copy of a weight, so nothing to share.
"""

from itertools import product


def _at(potential, n, row, column):
    """Index of a place of the picture in ``(N, R, C, O)`` or in pooled ``(N, 4, R/2, C/2, O)``."""
    if potential.ndim == 4:
        return n, row, column
    return n, 2 * (row % 2) + column % 2, row // 2, column // 2


def _taps(shape, row, column):
    """Yield (tap row, tap column, row, column) for the 3 x 3 places around one that lie inside the picture."""
    for i, j in product(range(3), range(3)):
        r, c = row + i - 1, column + j - 1
        if 0 <= r < shape[1] and 0 <= c < shape[2]:
            yield i, j, r, c


def convolve_local(presynaptic, weight, potential):
    """Forward projection: ``u[n, r, c, o] = sum_ij,k W[r, c, i, j, k, o] x[n, r + i - 1, c + j - 1, k]``, 0 outside.

    Args:
        presynaptic: ``(N, R, C, I)``.
        weight: ``(R, C, 3, 3, I, O)``.
        potential: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)``, written.
    """
    for n, row, column in product(*map(range, presynaptic.shape[:3])):
        total = 0.0
        for i, j, r, c in _taps(presynaptic.shape, row, column):
            for k in range(presynaptic.shape[3]):
                total = total + weight[row, column, i, j, k] * presynaptic[n, r, c, k]
        potential[_at(potential, n, row, column)] = total


def deliver_local(post, weight, error):
    """Feedback: ``error[n, r + i - 1, c + j - 1, k] = sum_ij,o B[r, c, i, j, k, o] delta[n, r, c, o]``.

    Args:
        post: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)``, the factor of the population above.
        weight: ``(R, C, 3, 3, I, O)``, whichever array the feedback projection owns.
        error: ``(N, R, C, I)``, written.
    """
    error[...] = 0
    for n, row, column in product(*map(range, error.shape[:3])):
        for i, j, r, c in _taps(error.shape, row, column):
            for k in range(error.shape[3]):
                error[n, r, c, k] += (weight[row, column, i, j, k] * post[_at(post, n, row, column)]).sum()


def hebbian_local(pre, post, index, change):
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
        seen = height * index[row] + part
        for n in range(len(pre)):
            factor = post[_at(post, n, height * row + part, column)]
            for i, j, r, c in _taps(pre.shape, seen, column):
                for k in range(pre.shape[3]):
                    change[row, part, column, i, j, k] += pre[n, r, c, k] * factor
