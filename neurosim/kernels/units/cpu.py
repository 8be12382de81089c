"""Units on the CPU: nonlinearities, pools with winners, gates, targets; reference.py says what each computes."""

from __future__ import annotations

import numpy as np

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.core.workspace import chunks, thread_local
from neurosim.kernels import units
from neurosim.kernels.units import CLOSED

RECTIFIED = ("rectified", "inhibited")  # lateral inhibition is a step of its own


def respond(potential: Array, activity: Array, nonlinearity: str) -> None:
    """``x = phi(u)``; both may be one array."""
    if nonlinearity == "hardtanh":
        np.clip(potential, -1, 1, out=activity)
    elif nonlinearity == "tanh":
        np.tanh(potential, out=activity)
    elif nonlinearity in RECTIFIED:
        np.maximum(potential, 0, out=activity)
    elif nonlinearity == "saturating":
        np.clip(potential, 0, 1, out=activity)
    elif activity is not potential:
        np.copyto(activity, potential)


def subtract_mean(units: Array) -> None:
    """From every unit the mean over the channels of its place."""
    channels = units.reshape(-1, units.shape[-1])
    mean = thread_local("mean", (len(channels), 1), units.dtype)
    np.mean(channels, axis=1, out=mean, keepdims=True)
    channels -= mean


@units.inhibit.cpu
def inhibit(potential: Array) -> None:
    """``u -= mean over channels of u``."""
    subtract_mean(potential)


@units.inhibit_factor.cpu
def inhibit_factor(post: Array) -> None:
    """``delta -= mean over channels of delta``."""
    subtract_mean(post)


@units.activate.cpu
def activate(potential: Array, activity: Array, *, nonlinearity: str) -> None:
    """``x = phi(u)``."""
    respond(potential, activity, nonlinearity)


def _chunks(activity: Array) -> list[slice]:
    """Slices of a few samples, whose arrays stay in a core's own cache."""
    return chunks(len(activity), max(1, tuning.CPU.pooled_units // activity[0].size))


@units.pool.cpu
def pool(potential: Array, activity: Array, winner: Array | None = None, *, nonlinearity: str) -> None:
    """``x = phi(max of a window)``, and which place won."""
    for part in _chunks(activity):
        u = potential[part].swapaxes(0, 1)
        if winner is None:
            _pool_alone(u, activity[part], nonlinearity)
        else:
            _pool(u, activity[part], winner[part], nonlinearity)


def _pool_alone(u: Array, activity: Array, nonlinearity: str) -> None:
    """The activity alone: the maxima of `_pool`, in the same order."""
    shape = activity.shape
    upper, lower = thread_local("upper", shape, activity.dtype), thread_local("lower", shape, activity.dtype)
    np.maximum(u[0], u[1], out=upper)
    np.maximum(u[2], u[3], out=lower)
    np.maximum(upper, lower, out=upper)
    respond(upper, activity, nonlinearity)


def _pool(u: Array, activity: Array, winner: Array, nonlinearity: str) -> None:
    shape = activity.shape
    upper, lower = thread_local("upper", shape, activity.dtype), thread_local("lower", shape, activity.dtype)
    right, down = thread_local("right", shape, bool), thread_local("down", shape, bool)
    np.greater(u[1], u[0], out=right)
    np.maximum(u[0], u[1], out=upper)
    np.greater(u[3], u[2], out=down)
    np.maximum(u[2], u[3], out=lower)
    lower_won = thread_local("lower_won", shape, bool)
    np.greater(lower, upper, out=lower_won)
    # 2 * lower_won + (down if lower_won else right), by bits: a masked copy takes thirty times as long.
    np.logical_xor(down, right, out=down)
    np.logical_and(down, lower_won, out=down)
    np.logical_xor(right, down, out=right)
    np.left_shift(lower_won.view(np.uint8), 1, out=winner)
    np.add(winner, right.view(np.uint8), out=winner)
    np.maximum(upper, lower, out=upper)
    respond(upper, activity, nonlinearity)
    if nonlinearity == "hardtanh":
        np.less(np.abs(activity, out=lower), 1, out=right)
        np.multiply(winner, right.view(np.uint8), out=winner)
        np.logical_not(right, out=right)
        np.left_shift(right.view(np.uint8), CLOSED.bit_length() - 1, out=down.view(np.uint8))
        np.add(winner, down.view(np.uint8), out=winner)


@units.gate.cpu
def gate(activity: Array, error: Array, post: Array, *, nonlinearity: str) -> None:
    """``post = phi'(u) error``."""
    if nonlinearity == "hardtanh":
        is_open = thread_local("open", activity.shape, bool)
        np.abs(activity, out=post)
        np.less(post, 1, out=is_open)
        np.multiply(error, is_open, out=post)
    elif nonlinearity == "tanh":
        np.multiply(activity, activity, out=post)
        np.subtract(1, post, out=post)
        np.multiply(post, error, out=post)
    elif nonlinearity in RECTIFIED:
        is_open = thread_local("open", activity.shape, bool)
        np.greater(activity, 0, out=is_open)
        np.multiply(error, is_open, out=post)
    elif nonlinearity == "saturating":
        is_open = thread_local("open", activity.shape, bool)
        below = thread_local("below", activity.shape, bool)
        np.greater(activity, 0, out=is_open)
        np.less(activity, 1, out=below)
        np.logical_and(is_open, below, out=is_open)
        np.multiply(error, is_open, out=post)
    else:
        np.copyto(post, error)


@units.gate_pooled.cpu
def gate_pooled(activity: Array, winner: Array, error: Array, post: Array, *, nonlinearity: str) -> None:
    """The error goes to the place that won, through its gate."""
    for part in _chunks(activity):
        _gate_pooled(activity[part], winner[part], error[part], post[part], nonlinearity)


def _gate_pooled(activity: Array, winner: Array, error: Array, post: Array, nonlinearity: str) -> None:
    if nonlinearity not in ("hardtanh", "linear"):  # hardtanh's gate is in the winner
        gated = thread_local("gated", activity.shape, activity.dtype)
        gate(activity, error, gated, nonlinearity=nonlinearity)
        error = gated
    won = thread_local("won", winner.shape, bool)
    for place in range(4):
        np.equal(winner, place, out=won)
        np.multiply(error, won, out=post[:, place])


@units.pool_mean.cpu
def pool_mean(potential: Array, activity: Array, *, nonlinearity: str) -> None:
    """``x = mean over a window of phi(u)``."""
    for part in _chunks(activity):
        total, place = activity[part], thread_local("upper", activity[part].shape, activity.dtype)
        respond(potential[part, 0], total, nonlinearity)
        for w in range(1, 4):
            respond(potential[part, w], place, nonlinearity)
            total += place
        total *= activity.dtype.type(0.25)


@units.gate_mean.cpu
def gate_mean(potential: Array, error: Array, post: Array, *, nonlinearity: str) -> None:
    """A quarter of the error at each place, through its gate."""
    quarter, x = (thread_local(name, error.shape, error.dtype) for name in ("quarter", "upper"))
    np.multiply(error, error.dtype.type(0.25), out=quarter)
    for w in range(4):
        respond(potential[:, w], x, nonlinearity)
        gate(x, quarter, post[:, w], nonlinearity=nonlinearity)


@units.average.cpu
def average(activity: Array, mean: Array) -> None:
    """Mean over 2 x 2 windows."""
    np.add(activity[:, ::2, ::2], activity[:, ::2, 1::2], out=mean)
    mean += activity[:, 1::2, ::2]
    mean += activity[:, 1::2, 1::2]
    mean *= mean.dtype.type(0.25)


@units.spread.cpu
def spread(mean: Array, error: Array) -> None:
    """A quarter of the error at each place of a window."""
    quarter = thread_local("quarter", mean.shape, mean.dtype)
    np.multiply(mean, mean.dtype.type(0.25), out=quarter)
    for place in range(4):
        error[:, place // 2 :: 2, place % 2 :: 2] = quarter


@units.add_noise.cpu
def add_noise(activity: Array, noise: Array, noisy: Array, *, sigma: float) -> None:
    """``x~ = x + sigma n``."""
    np.multiply(noise, noisy.dtype.type(sigma), out=noisy)
    noisy += activity


@units.set_target.cpu
def set_target(activity: Array, error: Array, target: Array, *, step: float) -> None:
    """``t = x - step e``."""
    np.multiply(error, target.dtype.type(-step), out=target)
    target += activity


@units.local_loss.cpu
def local_loss(activity: Array, target: Array, error: Array, value: Array, *, scale: float) -> None:
    """``e = 2 scale (x - t)``; ``value += scale |x - t|^2``."""
    np.subtract(activity, target, out=error)
    flat = error.reshape(-1)
    value[0] += scale * float(np.dot(flat, flat))
    error *= error.dtype.type(2 * scale)


@units.propagate_target.cpu
def propagate_target(activity: Array, restored: Array, restored_target: Array, target: Array) -> None:
    """``t = x - g(x above) + g(t above)``."""
    np.subtract(restored_target, restored, out=target)
    target += activity
