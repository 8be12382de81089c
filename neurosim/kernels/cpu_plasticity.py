"""Plasticity and short-term memory of the CPU, elementwise; `neurosim.kernels.reference_plasticity` specifies it."""

import math

import numpy as np

from neurosim.kernels.cpu_units import signs
from neurosim.kernels.reference_plasticity import tick
from neurosim.kernels.workspace import thread_local

__all__ = ["adam", "momentum", "push", "send_sign", "sgd", "signum", "tick"]


def _apply(direction, weight, rate, decay, size=1.0):
    """``w -= eta (size direction + lambda w)``, the direction's array is used up."""
    eta = weight.dtype.type(rate[0] * size)
    if decay:
        weight *= weight.dtype.type(1 - rate[0] * decay)
    direction *= eta
    weight -= direction


def sgd(change, weight, rate, *, decay):
    """See `neurosim.kernels.reference_plasticity.sgd`."""
    direction = thread_local("direction", weight.shape, weight.dtype)
    np.copyto(direction, change)
    _apply(direction, weight, rate, decay)


def _follow(change, trace, momentum):
    trace *= trace.dtype.type(momentum)
    trace += change


def momentum(change, weight, trace, rate, *, momentum, decay):
    """See `neurosim.kernels.reference_plasticity.momentum`."""
    _follow(change, trace, momentum)
    direction = thread_local("direction", weight.shape, weight.dtype)
    np.copyto(direction, trace)
    _apply(direction, weight, rate, decay)


def signum(change, weight, trace, rate, *, bound, momentum, decay):
    """See `neurosim.kernels.reference_plasticity.signum`."""
    _follow(change, trace, momentum)
    direction = thread_local("direction", weight.shape, weight.dtype)
    signs(trace, direction)
    _apply(direction, weight, rate, decay, bound)


def adam(change, weight, trace, square, count, rate, *, beta1, beta2, epsilon, decay):
    """See `neurosim.kernels.reference_plasticity.adam`; what corrects v stands outside its root, for a pass less."""
    t, real = int(count[0]), weight.dtype.type
    direction, root = (thread_local(name, weight.shape, weight.dtype) for name in ("direction", "root"))
    trace *= real(beta1)
    np.multiply(change, real(1 - beta1), out=direction)
    trace += direction
    square *= real(beta2)
    np.multiply(change, change, out=direction)
    direction *= real(1 - beta2)
    square += direction
    late = math.sqrt(1 - beta2**t)
    np.sqrt(square, out=root)
    root += real(epsilon * late)
    np.divide(trace, root, out=direction)
    _apply(direction, weight, rate, decay, late / (1 - beta1**t))


def send_sign(weight, sent, *, scale):
    """See `neurosim.kernels.reference_plasticity.send_sign`."""
    signs(weight, sent)
    sent *= sent.dtype.type(scale)


def push(activity, trace, cursor):
    """See `neurosim.kernels.reference_plasticity.push`."""
    kept = activity[-len(trace) :]
    first = int(cursor[0]) + len(activity) - len(kept)
    trace[(first + np.arange(len(kept))) % len(trace)] = kept
    cursor[0] += len(activity)
