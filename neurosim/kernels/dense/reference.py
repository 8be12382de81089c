"""The specification of dense projections and biases: naive loops in float64."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.kernels import dense as kernels


@kernels.dense.reference
def dense(presynaptic: Array, weight: Array, potential: Array) -> None:
    """Forward projection: ``u[n, d] = sum_k x[n, k] W[k, d]``, x ``(N, K)``, W ``(K, D)``."""
    for n, d in np.ndindex(potential.shape):
        potential[n, d] = sum(presynaptic[n, k] * weight[k, d] for k in range(len(weight)))


@kernels.deliver_dense.reference
def deliver_dense(post: Array, weight: Array, error: Array) -> None:
    """Feedback: ``error[n, k] = sum_d B[k, d] delta[n, d]``, B whichever array the feedback projection owns."""
    for n, k in np.ndindex(error.shape):
        error[n, k] = sum(weight[k, d] * post[n, d] for d in range(weight.shape[1]))


@kernels.hebbian_dense.reference
def hebbian_dense(pre: Array, post: Array, change: Array) -> None:
    """Outer product: ``change[k, d] = sum_n x[n, k] delta[n, d]``."""
    for k, d in np.ndindex(change.shape):
        change[k, d] = sum(pre[n, k] * post[n, d] for n in range(len(pre)))


@kernels.add_bias.reference
def add_bias(presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u[..., o] += 1 b[o]``: a synapse from one unit that is always active.

    Args:
        presynaptic: ``(1,)``, the constant unit's activity.
        weight: ``(1, O)``.
        potential: ``(N, ..., O)``, changed.
    """
    for index in np.ndindex(potential.shape):
        potential[index] += presynaptic[0] * weight[0, index[-1]]


@kernels.hebbian_bias.reference
def hebbian_bias(pre: Array, post: Array, change: Array) -> None:
    """Outer product of a bias: ``change[0, o] += sum_n,places 1 delta[n, ..., o]``.

    Args:
        pre: ``(1,)``, the constant unit's activity.
        post: ``(N, ..., O)``, stored postsynaptic factor.
        change: ``(1, O)``, added to.
    """
    for index in np.ndindex(post.shape):
        change[0, index[-1]] += pre[0] * post[index]
