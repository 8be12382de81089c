"""Biases, inverse paths and targets of the CPU; `neurosim.kernels.reference_inverse` says what each computes."""

import numpy as np

from neurosim.kernels.workspace import thread_local


def _lines(maps):
    """Maps as lines of all channels of a row of places, of units as they are: NumPy adds long lines several times as fast."""
    return maps.reshape(-1, maps.shape[-2] * maps.shape[-1]) if maps.ndim > 2 else maps


def add_bias(presynaptic, weight, potential):
    """u += 1 b; see `neurosim.kernels.reference_inverse.add_bias`."""
    lines = _lines(potential)
    lines += np.tile(presynaptic[0] * weight[0], lines.shape[1] // weight.shape[1])


def hebbian_bias(pre, post, change):
    """change += sum of 1 x post; see `neurosim.kernels.reference_inverse.hebbian_bias`."""
    lines = _lines(post)
    summed = np.matmul(np.ones(len(lines), post.dtype), lines)  # twice as fast as a sum over the first axis
    change[0] += pre[0] * summed.reshape(-1, post.shape[-1]).sum(axis=0)


def upconvolve(presynaptic, weight, potential):
    """Products for each of the nine taps, then sums; see `neurosim.kernels.reference_inverse.upconvolve`.

    An even column hears tap 1; the odd one after it hears tap 2 from the same place and tap 0 from the next. So do the rows.
    Taps 1 and 2 of a row are one product, whose results are a row of the potentials.
    """
    n, rows, columns, channels = presynaptic.shape
    units = weight.shape[3]
    right = thread_local("right taps", (3, channels, 2, units), weight.dtype)
    np.copyto(right, weight[:, 1:].swapaxes(1, 2))
    wide = thread_local("columns", (3, n, rows, columns * 2 * units), potential.dtype)
    narrow = thread_local("narrow", (3, n, rows, columns, units), potential.dtype)
    places = presynaptic.reshape(-1, channels)
    np.matmul(places, right.reshape(3, channels, -1), out=wide.reshape(3, len(places), -1))
    np.matmul(places, weight[:, 0], out=narrow.reshape(3, len(places), -1))
    lines = potential.reshape(n, rows, 2, -1)
    lines[:, :, 0] = wide[1]
    np.add(wide[2, :, :-1], wide[0, :, 1:], out=lines[:, :-1, 1])
    lines[:, -1, 1] = wide[2, :, -1]
    narrow[2, :, :-1] += narrow[0, :, 1:]
    odd = potential.reshape(n, rows, 2, columns, 2, units)[..., :-1, 1, :]
    odd[:, :, 0] += narrow[1, :, :, 1:]
    odd[:, :, 1] += narrow[2, :, :, 1:]


def hebbian_upconvolution(pre, post, change):
    """The factor's shifts, products as in `upconvolve`; see `neurosim.kernels.reference_inverse.hebbian_upconvolution`."""
    n, rows, columns, channels = pre.shape
    units = post.shape[3]
    lines = post.reshape(n, rows, 2, -1)
    wide = thread_local("columns", (3, n, rows, columns, 2, units), post.dtype)
    flat = wide.reshape(3, n, rows, -1)
    # Tap 0 sends to the odd row, or column, before a place: what place 0 would send falls outside.
    flat[0, :, 0] = 0
    flat[0, :, 1:] = lines[:, :-1, 1]
    flat[1:] = lines.transpose(2, 0, 1, 3)
    narrow = thread_local("narrow", (3, n, rows, columns, units), post.dtype)
    narrow[:, :, :, 0] = 0
    narrow[:, :, :, 1:] = wide[:, :, :, :-1, 1]
    places = pre.reshape(-1, channels).T
    right, left = thread_local("product", (3, channels, 2, units), change.dtype), thread_local("left taps", (3, channels, units), change.dtype)
    np.matmul(places, wide.reshape(3, -1, 2 * units), out=right.reshape(3, channels, -1))
    np.matmul(places, narrow.reshape(3, -1, units), out=left)
    change[:, 1:] += right.swapaxes(1, 2)
    change[:, 0] += left


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
