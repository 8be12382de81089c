"""The specification of biases, inverse paths and targets: naive float64 loops.

Symbols: N samples, R rows, C columns, I channels in, O channels out; x activity, t target, n noise. Sources: difference
target propagation, Lee et al. 2015; its noise and its inverse convolutions, Tang, Yang, Amit 2022.
"""

from itertools import product

import numpy as np


def add_bias(presynaptic, weight, potential):
    """``u[..., o] += 1 b[o]``: a synapse from one unit that is always active.

    Args:
        presynaptic: ``(1,)``, the constant unit's activity.
        weight: ``(1, O)``.
        potential: ``(N, ..., O)``, changed.
    """
    for index in np.ndindex(potential.shape):
        potential[index] += presynaptic[0] * weight[0, index[-1]]


def hebbian_bias(pre, post, change):
    """Outer product of a bias: ``change[0, o] += sum_n,places 1 delta[n, ..., o]``.

    Args:
        pre: ``(1,)``, the constant unit's activity.
        post: ``(N, ..., O)`` stored postsynaptic factor.
        change: ``(1, O)``, added to.
    """
    for index in np.ndindex(post.shape):
        change[0, index[-1]] += pre[0] * post[index]


def _spread(small, large):
    """Yield (tap row, tap column, small place, large place) of a 3 x 3 transposed convolution of stride 2."""
    for r, c, i, j in product(range(small.shape[1]), range(small.shape[2]), range(3), range(3)):
        row, column = 2 * r + i - 1, 2 * c + j - 1
        if 0 <= row < large.shape[1] and 0 <= column < large.shape[2]:
            yield i, j, (r, c), (row, column)


def upconvolve(presynaptic, weight, potential):
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


def hebbian_upconvolution(pre, post, change):
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


def add_noise(activity, noise, noisy, *, sigma):
    """``x~ = x + sigma n``, all of one shape; noisy is written."""
    for index in np.ndindex(activity.shape):
        noisy[index] = activity[index] + sigma * noise[index]


def mismatch(activity, target, error, value, *, scale):
    """``e = 2 scale (x - t)``: the derivative of ``scale |x - t|^2``, which is added to value, float64 ``(1,)``."""
    for index in np.ndindex(activity.shape):
        apart = activity[index] - target[index]
        error[index] = 2 * scale * apart
        value[0] += scale * apart**2


def aim(activity, error, target, *, step):
    """``t = x - step e``, all of one shape; target is written."""
    for index in np.ndindex(activity.shape):
        target[index] = activity[index] - step * error[index]


def correct_target(activity, restored, aimed, target):
    """``t = x - g(x above) + g(t above)``: the inverse's own error drops out; all of one shape, target is written."""
    for index in np.ndindex(activity.shape):
        target[index] = activity[index] - restored[index] + aimed[index]
