"""Biases, inverse paths and targets of the CPU; `neurosim.kernels.reference_inverse` says what each computes."""

import numpy as np

from neurosim.kernels.scratch import take


def _lines(maps):
    """Maps as lines of all channels of a row of places, of units as they are: NumPy adds long lines several times as fast."""
    return maps.reshape(-1, maps.shape[-2] * maps.shape[-1]) if maps.ndim > 2 else maps


def add_bias(presynaptic, weight, potential):
    """u += 1 b; see `neurosim.kernels.reference_inverse.add_bias`."""
    lines = _lines(potential)
    lines += np.tile(presynaptic[0] * weight[0], lines.shape[1] // weight.shape[1])


def hebbian_bias(pre, post, change):
    """change += sum of 1 x post; see `neurosim.kernels.reference_inverse.hebbian_bias`."""
    change[0] += pre[0] * _lines(post).sum(axis=0).reshape(-1, post.shape[-1]).sum(axis=0)


def upconvolve(presynaptic, weight, potential):
    """One product for each of the nine taps, then sums; see `neurosim.kernels.reference_inverse.upconvolve`."""
    n, rows, columns, channels = presynaptic.shape
    sent = take("columns", (3, 3, n, rows, columns, weight.shape[3]), potential.dtype)
    taps = sent.reshape(9, -1, weight.shape[3])
    np.matmul(presynaptic.reshape(-1, channels), weight.reshape(9, channels, -1), out=taps)
    # An even row hears tap 1; an odd row hears tap 2 from its own place and tap 0 from the next. So do the columns.
    u = potential.reshape(n, rows, 2, columns, 2, -1)
    u[:, :, 0, :, 0] = sent[1, 1]
    u[:, :, 0, :, 1] = sent[1, 2]
    u[:, :, 0, :-1, 1] += sent[1, 0, :, :, 1:]
    sent[2, :, :, :-1] += sent[0, :, :, 1:]
    u[:, :, 1, :, 0] = sent[2, 1]
    u[:, :, 1, :, 1] = sent[2, 2]
    u[:, :, 1, :-1, 1] += sent[2, 0, :, :, 1:]


def hebbian_upconvolution(pre, post, change):
    """The factor's nine shifts, one product each; see `neurosim.kernels.reference_inverse.hebbian_upconvolution`."""
    n, rows, columns, channels = pre.shape
    units = post.shape[3]
    shifts = take("columns", (3, 3, n, rows, columns, units), post.dtype)
    delta = post.reshape(n, rows, 2, columns, 2, units)
    for i, (from_row, odd) in enumerate(((1, 1), (0, 0), (0, 1))):
        for j, (from_column, odd_column) in enumerate(((1, 1), (0, 0), (0, 1))):
            plane = shifts[i, j]
            # Tap 0 sends to the odd row before a place: what place 0 would send falls outside.
            plane[:, :from_row] = 0
            plane[:, :, :from_column] = 0
            np.copyto(plane[:, from_row:, from_column:],
                      delta[:, : rows - from_row, odd, : columns - from_column, odd_column])  # fmt: skip
    product = take("product", (9, channels, units), change.dtype)
    np.matmul(pre.reshape(-1, channels).T, shifts.reshape(9, -1, units), out=product)
    change += product.reshape(change.shape)


def add_noise(activity, noise, noisy, *, sigma):
    """x~ = x + sigma n; see `neurosim.kernels.reference_inverse.add_noise`."""
    np.multiply(noise, noisy.dtype.type(sigma), out=noisy)
    noisy += activity


def mismatch(activity, target, error, value, *, scale):
    """e = 2 scale (x - t); see `neurosim.kernels.reference_inverse.mismatch`."""
    np.subtract(activity, target, out=error)
    flat = error.reshape(-1)
    value[0] += scale * float(np.dot(flat, flat))
    error *= error.dtype.type(2 * scale)


def aim(activity, error, target, *, step):
    """t = x - step e; see `neurosim.kernels.reference_inverse.aim`."""
    np.multiply(error, target.dtype.type(-step), out=target)
    target += activity


def correct_target(activity, restored, aimed, target):
    """t = x - g(x above) + g(t above); see `neurosim.kernels.reference_inverse.correct_target`."""
    np.subtract(aimed, restored, out=target)
    target += activity
