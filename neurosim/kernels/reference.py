"""The specification: every kernel as naive loops in float64, slow and plain.

Each fast form must agree with the function of the same name and arguments here. A kernel receives only the arrays
that its step declares, and leaves its results in the arrays it is given.

Symbols: N samples, R rows, C columns, I channels in, O channels out, D units of a head. ``phi`` is the nonlinearity:
hardtanh ``min(1, max(-1, u))`` with gate 1 strictly inside (-1, 1) and 0 elsewhere, tanh with gate ``1 - x^2``, or
linear with gate 1. A pooled layer's potentials are ``(N, 4, R/2, C/2, O)``: the second axis is the place inside the
2 x 2 window, row by row.
"""

from itertools import product

import numpy as np

from neurosim.kernels.devices import CLOSED
from neurosim.kernels.reference_deformation import deform, deform_simclr
from neurosim.kernels.reference_inverse import (
    add_bias,
    add_noise,
    aim,
    correct_target,
    hebbian_bias,
    hebbian_upconvolution,
    mismatch,
    upconvolve,
)
from neurosim.kernels.reference_local import convolve_local, deliver_local, hebbian_local
from neurosim.kernels.reference_losses import (
    barlow,
    hinge_all,
    hinge_lags,
    hinge_mean,
    nt_xent,
    positive,
)
from neurosim.kernels.reference_patches import clapp, deliver_prediction, gaze, hebbian_prediction, predict
from neurosim.kernels.reference_plasticity import adam, momentum, push, send_sign, sgd, signum, tick

__all__ = [
    "activate", "adam", "add_bias", "add_noise", "aim", "average", "barlow", "clapp", "convolve", "convolve_local",
    "correct_target", "deform", "deform_simclr", "deliver_convolution", "deliver_dense", "deliver_local",
    "deliver_prediction", "dense", "gate", "gate_pooled", "gaze", "hebbian_bias", "hebbian_convolution",
    "hebbian_dense", "hebbian_local", "hebbian_prediction", "hebbian_upconvolution", "hinge_all", "hinge_lags",
    "hinge_mean", "mismatch", "momentum", "nt_xent", "pool", "positive", "predict", "present", "push", "send_sign",
    "sgd", "signum", "spread", "tick", "upconvolve",
]  # fmt: skip


def _places(potential):
    """Yield (index of the potential, row, column) for every place, pooled or not, sample left out."""
    if potential.ndim == 4:
        for r, c in product(range(potential.shape[1]), range(potential.shape[2])):
            yield (r, c), r, c
    else:
        for w, r, c in product(range(4), range(potential.shape[2]), range(potential.shape[3])):
            yield (w, r, c), 2 * r + w // 2, 2 * c + w % 2


def _taps(shape, row, column):
    """Yield (tap row, tap column, row, column) for the 3 x 3 places around one that lie inside the picture."""
    for i, j in product(range(3), range(3)):
        r, c = row + i - 1, column + j - 1
        if 0 <= r < shape[1] and 0 <= c < shape[2]:
            yield i, j, r, c


def present(image, activity, *, gain, offset):
    """Show an image: ``x0 = gain * image + offset``, uint8 images divided by 255.

    Args:
        image: ``(N, R, C, I)``, uint8 or float in 0..1.
        activity: ``(N, R, C, I)``, written.
    """
    for index in np.ndindex(image.shape):
        value = float(image[index]) / 255 if image.dtype == np.uint8 else float(image[index])
        activity[index] = gain * value + offset


def convolve(presynaptic, weight, potential):
    """Forward projection: ``u[n, r, c, o] = sum_ij,k W[i, j, k, o] x[n, r + i - 1, c + j - 1, k]``, 0 outside.

    Args:
        presynaptic: ``(N, R, C, I)``.
        weight: ``(3, 3, I, O)``.
        potential: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)``, written.
    """
    for n in range(len(presynaptic)):
        for index, row, column in _places(potential):
            total = np.zeros(weight.shape[3])
            for i, j, r, c in _taps(presynaptic.shape, row, column):
                for k in range(weight.shape[2]):
                    total += weight[i, j, k] * presynaptic[n, r, c, k]
            potential[(n, *index)] = total


def hebbian_convolution(pre, post, change):
    """Outer product: ``change[i, j, k, o] += sum_n,r,c x[n, r + i - 1, c + j - 1, k] delta[n, r, c, o]``.

    Args:
        pre: ``(N, R, C, I)`` stored presynaptic activity.
        post: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)`` stored postsynaptic factor.
        change: ``(3, 3, I, O)``, added to.
    """
    for n in range(len(pre)):
        for index, row, column in _places(post):
            for i, j, r, c in _taps(pre.shape, row, column):
                for k in range(pre.shape[3]):
                    change[i, j, k] += pre[n, r, c, k] * post[(n, *index)]


def deliver_convolution(post, weight, error):
    """Feedback: ``error[n, r + i - 1, c + j - 1, k] = sum_ij,o B[i, j, k, o] delta[n, r, c, o]``.

    Args:
        post: ``(N, R, C, O)`` or ``(N, 4, R/2, C/2, O)``, the factor of the population above.
        weight: ``(3, 3, I, O)``, whichever array the feedback projection owns.
        error: ``(N, R, C, I)``, written.
    """
    error[...] = 0
    for n in range(len(post)):
        for index, row, column in _places(post):
            for i, j, r, c in _taps(error.shape, row, column):
                for k in range(error.shape[3]):
                    error[n, r, c, k] += (weight[i, j, k] * post[(n, *index)]).sum()


def dense(presynaptic, weight, potential):
    """Forward projection of a head: ``u[n, d] = sum_k x[n, k] W[k, d]``, x ``(N, K)``, W ``(K, D)``."""
    for n, d in np.ndindex(potential.shape):
        potential[n, d] = sum(presynaptic[n, k] * weight[k, d] for k in range(len(weight)))


def hebbian_dense(pre, post, change):
    """Outer product of a head: ``change[k, d] = sum_n x[n, k] delta[n, d]``, written."""
    for k, d in np.ndindex(change.shape):
        change[k, d] = sum(pre[n, k] * post[n, d] for n in range(len(pre)))


def deliver_dense(post, weight, error):
    """Feedback of a head: ``error[n, k] = sum_d B[k, d] delta[n, d]``, written."""
    for n, k in np.ndindex(error.shape):
        error[n, k] = sum(weight[k, d] * post[n, d] for d in range(weight.shape[1]))


def _phi(u, nonlinearity):
    return {"hardtanh": min(1.0, max(-1.0, u)), "tanh": np.tanh(u), "linear": u}[nonlinearity]


def _slope(x, nonlinearity):
    return {"hardtanh": float(-1 < x < 1), "tanh": 1 - x * x, "linear": 1.0}[nonlinearity]


def activate(potential, activity, *, nonlinearity):
    """``x = phi(u)``, elementwise, both ``(N, R, C, O)``."""
    for index in np.ndindex(potential.shape):
        activity[index] = _phi(potential[index], nonlinearity)


def pool(potential, activity, winner, *, nonlinearity):
    """``x = phi(max over the window of u)``; phi never falls, so this is the maximum of phi(u) too.

    Args:
        potential: ``(N, 4, R, C, O)``.
        activity: ``(N, R, C, O)``, written.
        winner: uint8 ``(N, R, C, O)``, written: the first place of the largest u, or 4 where hardtanh is saturated.
    """
    for n, r, c, o in np.ndindex(activity.shape):
        place = int(np.argmax(potential[n, :, r, c, o]))
        x = _phi(potential[n, place, r, c, o], nonlinearity)
        activity[n, r, c, o] = x
        winner[n, r, c, o] = CLOSED if nonlinearity == "hardtanh" and not -1 < x < 1 else place


def average(activity, mean):
    """Mean of every 2 x 2 window: ``a[n, r, c, o] = sum_ij x[n, 2r + i, 2c + j, o] / 4``, x ``(N, 2R, 2C, O)``."""
    for n, r, c, o in np.ndindex(mean.shape):
        mean[n, r, c, o] = sum(activity[n, 2 * r + i, 2 * c + j, o] for i, j in product(range(2), range(2))) / 4


def spread(mean, error):
    """The error of a mean, a quarter of it at each place of its window: ``e[n, 2r + i, 2c + j, o] = e_a[n, r, c, o] / 4``."""
    for n, r, c, o in np.ndindex(error.shape):
        error[n, r, c, o] = mean[n, r // 2, c // 2, o] / 4


def gate(activity, error, post, *, nonlinearity):
    """Postsynaptic factor ``delta = phi'(u) e``, from the stored activity; all ``(N, R, C, O)``."""
    for index in np.ndindex(activity.shape):
        post[index] = error[index] * _slope(activity[index], nonlinearity)


def gate_pooled(activity, winner, error, post, *, nonlinearity):
    """``delta = phi'(u) e`` at the place that won, 0 at the others.

    Args:
        activity, winner, error: ``(N, R, C, O)``.
        post: ``(N, 4, R, C, O)``, written.
    """
    post[...] = 0
    for n, r, c, o in np.ndindex(activity.shape):
        if winner[n, r, c, o] != CLOSED:
            slope = _slope(activity[n, r, c, o], nonlinearity)
            post[n, winner[n, r, c, o], r, c, o] = error[n, r, c, o] * slope
