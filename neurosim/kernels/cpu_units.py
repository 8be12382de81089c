"""Units of the CPU: dense products, nonlinearities, pools with winners, gates."""

import numpy as np

from neurosim.kernels.devices import CLOSED
from neurosim.kernels.workspace import chunks, thread_local

PIECE = 1 << 17  # pooled units at once: half a MB an array, and calls long enough for threads not to wait for each other
GATHERED = 512  # presynaptic units of one product of a head's outer product


def signs(source, target):
    """target = sign(source), 0 at 0: by comparisons, since `np.sign` branches at every number (5 ns against 0.5)."""
    above, below = thread_local("above", source.shape, np.int8), thread_local("below", source.shape, np.int8)
    np.greater(source, 0, out=above.view(bool))
    np.less(source, 0, out=below.view(bool))
    np.subtract(above, below, out=above)
    np.copyto(target, above)


def present(image, activity, *, gain, offset):
    """x0 = gain * image / 255 + offset; see `neurosim.kernels.reference.present`."""
    scale = gain / 255 if image.dtype == np.uint8 else gain
    np.multiply(image, activity.dtype.type(scale), out=activity, casting="unsafe")
    if offset:
        activity += activity.dtype.type(offset)


def dense(presynaptic, weight, potential):
    """u = x W; see `neurosim.kernels.reference.dense`."""
    np.matmul(presynaptic, weight, out=potential)


def hebbian_dense(pre, post, change):
    """change = pre^T post over all samples; see `neurosim.kernels.reference.hebbian_dense`."""
    for start in range(0, len(change), GATHERED):
        part = pre[:, start : start + GATHERED]
        gathered = thread_local("gathered", part.shape, pre.dtype)  # a product of rows far apart takes a fifth longer
        np.copyto(gathered, part)
        np.matmul(gathered.T, post, out=change[start : start + GATHERED])


def deliver_dense(post, weight, error):
    """error = post B^T; see `neurosim.kernels.reference.deliver_dense`."""
    np.matmul(post, weight.T, out=error)


def _respond(potential, activity, nonlinearity):
    if nonlinearity == "hardtanh":
        np.clip(potential, -1, 1, out=activity)
    elif nonlinearity == "tanh":
        np.tanh(potential, out=activity)
    elif activity is not potential:
        np.copyto(activity, potential)


def activate(potential, activity, *, nonlinearity):
    """x = phi(u); see `neurosim.kernels.reference.activate`."""
    _respond(potential, activity, nonlinearity)


def _pieces(activity):
    """Slices of a few samples, whose arrays stay in a core's own cache."""
    return chunks(len(activity), max(1, PIECE // activity[0].size))


def pool(potential, activity, winner, *, nonlinearity):
    """x = phi(max of a window), and which place won; see `neurosim.kernels.reference.pool`."""
    for part in _pieces(activity):
        _pool(potential[part].swapaxes(0, 1), activity[part], winner[part], nonlinearity)


def _pool(u, activity, winner, nonlinearity):
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
    _respond(upper, activity, nonlinearity)
    if nonlinearity == "hardtanh":
        np.less(np.abs(activity, out=lower), 1, out=right)
        np.multiply(winner, right.view(np.uint8), out=winner)
        np.logical_not(right, out=right)
        np.left_shift(right.view(np.uint8), CLOSED.bit_length() - 1, out=down.view(np.uint8))
        np.add(winner, down.view(np.uint8), out=winner)


def average(activity, mean):
    """mean = mean over 2 x 2 windows of x; see `neurosim.kernels.reference.average`."""
    np.add(activity[:, ::2, ::2], activity[:, ::2, 1::2], out=mean)
    mean += activity[:, 1::2, ::2]
    mean += activity[:, 1::2, 1::2]
    mean *= mean.dtype.type(0.25)


def spread(mean, error):
    """A quarter of the error at each place of a window; see `neurosim.kernels.reference.spread`."""
    quarter = thread_local("quarter", mean.shape, mean.dtype)
    np.multiply(mean, mean.dtype.type(0.25), out=quarter)
    for place in range(4):
        error[:, place // 2 :: 2, place % 2 :: 2] = quarter


def gate(activity, error, post, *, nonlinearity):
    """post = phi'(u) error; see `neurosim.kernels.reference.gate`."""
    if nonlinearity == "hardtanh":
        is_open = thread_local("open", activity.shape, bool)
        np.abs(activity, out=post)
        np.less(post, 1, out=is_open)
        np.multiply(error, is_open, out=post)
    elif nonlinearity == "tanh":
        np.multiply(activity, activity, out=post)
        np.subtract(1, post, out=post)
        np.multiply(post, error, out=post)
    else:
        np.copyto(post, error)


def gate_pooled(activity, winner, error, post, *, nonlinearity):
    """The error goes to the place that won, through its gate; see `neurosim.kernels.reference.gate_pooled`."""
    for part in _pieces(activity):
        _gate_pooled(activity[part], winner[part], error[part], post[part], nonlinearity)


def _gate_pooled(activity, winner, error, post, nonlinearity):
    if nonlinearity == "tanh":
        gated = thread_local("gated", activity.shape, activity.dtype)
        gate(activity, error, gated, nonlinearity="tanh")
        error = gated
    won = thread_local("won", winner.shape, bool)
    for place in range(4):
        np.equal(winner, place, out=won)
        np.multiply(error, won, out=post[:, place])
