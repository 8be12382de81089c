"""The specification of inverse paths: naive loops."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from neurosim.core.typing import Array
from neurosim.kernels import inverse

Place = tuple[int, int]


def _spread(small: Array, large: Array) -> Iterator[tuple[int, int, Place, Place]]:
    """Yield (tap row, tap column, small place, large place) of a 3 x 3 transposed convolution of stride 2."""
    for r, c, i, j in product(range(small.shape[1]), range(small.shape[2]), range(3), range(3)):
        row, column = 2 * r + i - 1, 2 * c + j - 1
        if 0 <= row < large.shape[1] and 0 <= column < large.shape[2]:
            yield i, j, (r, c), (row, column)


@inverse.upconvolve.reference
def upconvolve(presynaptic: Array, weight: Array, potential: Array) -> None:
    """Inverse of a pooled layer: ``u[n, 2r + i - 1, 2c + j - 1, o] = sum W[i, j, k, o] x[n, r, c, k]``.

    A transposed convolution of stride 2, padding 1, output padding 1; what falls outside is lost.

    Args:
        presynaptic: ``(N, R, C, I)``, the activity above.
        weight: ``(3, 3, I, O)``.
        potential: ``(N, 2R, 2C, O)``, written: of the units that restore the activity below.
    """
    potential[...] = 0
    for n in range(len(presynaptic)):
        for i, j, small, large in _spread(presynaptic, potential):
            for k in range(weight.shape[2]):
                potential[(n, *large)] += weight[i, j, k] * presynaptic[(n, *small)][k]


@inverse.hebbian_upconvolution.reference
def hebbian_upconvolution(pre: Array, post: Array, change: Array) -> None:
    """Its outer product: ``change[i, j, k, o] += sum_n,r,c x[n, r, c, k] delta[n, 2r + i - 1, 2c + j - 1, o]``.

    Args:
        pre: ``(N, R, C, I)`` stored presynaptic activity.
        post: ``(N, 2R, 2C, O)`` stored postsynaptic factor.
        change: ``(3, 3, I, O)``, added to.
    """
    for n in range(len(pre)):
        for i, j, small, large in _spread(pre, post):
            for k in range(pre.shape[3]):
                change[i, j, k] += pre[(n, *small)][k] * post[(n, *large)]
