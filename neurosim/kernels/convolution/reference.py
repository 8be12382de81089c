"""The specification of convolutions: naive loops, slow and plain."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.kernels import convolution
from neurosim.kernels.places import places, taps


@convolution.convolve.reference
def convolve(presynaptic: Array, weight: Array, potential: Array) -> None:
    """Forward projection: ``u[n, r, c, o] = sum_ij,k W[i, j, k, o] x[n, r + i - B, c + j - B, k]``, 0 outside.

    Args:
        presynaptic: ``(N, R, C, I)``.
        weight: ``(T, T, I, O)``.
        potential: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)``, written.
    """
    for n in range(len(presynaptic)):
        for index, row, column in places(potential):
            total = np.zeros(weight.shape[3])
            for i, j, r, c in taps(presynaptic.shape, row, column, len(weight)):
                for k in range(weight.shape[2]):
                    total += weight[i, j, k] * presynaptic[n, r, c, k]
            potential[(n, *index)] = total


@convolution.hebbian_convolution.reference
def hebbian_convolution(pre: Array, post: Array, change: Array) -> None:
    """Outer product: ``change[i, j, k, o] += sum_n,r,c x[n, r + i - B, c + j - B, k] delta[n, r, c, o]``.

    Args:
        pre: ``(N, R, C, I)`` stored presynaptic activity.
        post: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)`` stored postsynaptic factor.
        change: ``(T, T, I, O)``, added to.
    """
    for n in range(len(pre)):
        for index, row, column in places(post):
            for i, j, r, c in taps(pre.shape, row, column, len(change)):
                for k in range(pre.shape[3]):
                    change[i, j, k] += pre[n, r, c, k] * post[(n, *index)]


@convolution.deliver_convolution.reference
def deliver_convolution(post: Array, weight: Array, error: Array) -> None:
    """Feedback: ``error[n, r + i - B, c + j - B, k] = sum_ij,o B[i, j, k, o] delta[n, r, c, o]``.

    Args:
        post: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)``, the factor of the population above.
        weight: ``(T, T, I, O)``, whichever array the feedback projection owns.
        error: ``(N, R, C, I)``, written.
    """
    error[...] = 0
    for n in range(len(post)):
        for index, row, column in places(post):
            for i, j, r, c in taps(error.shape, row, column, len(weight)):
                for k in range(error.shape[3]):
                    error[n, r, c, k] += (weight[i, j, k] * post[(n, *index)]).sum()
