"""The specification of what units do: naive loops in float64."""

from __future__ import annotations

from itertools import product

import numpy as np

from neurosim.core.typing import Array
from neurosim.kernels import units
from neurosim.kernels.units import CLOSED, NONLINEARITIES


@units.activate.reference
def activate(potential: Array, activity: Array, *, nonlinearity: str) -> None:
    """``x = phi(u)``, elementwise."""
    phi = NONLINEARITIES[nonlinearity].phi
    for index in np.ndindex(potential.shape):
        activity[index] = phi(potential[index])


def subtract_mean(units: Array) -> None:
    """From every unit the mean over the channels of its place, itself included."""
    for place in np.ndindex(units.shape[:-1]):
        mean = sum(float(u) for u in units[place]) / units.shape[-1]
        for channel in range(units.shape[-1]):
            units[(*place, channel)] -= mean


@units.inhibit.reference
def inhibit(potential: Array) -> None:
    """Lateral inhibition by subtraction: ``u[..., o] -= mean over channels of u``, in place."""
    subtract_mean(potential)


@units.inhibit_factor.reference
def inhibit_factor(post: Array) -> None:
    """The same connections on the factors: what inhibits a unit's neighbours is less by their mean factor, in place."""
    subtract_mean(post)


@units.pool.reference
def pool(potential: Array, activity: Array, winner: Array | None = None, *, nonlinearity: str) -> None:
    """``x = phi(max over the window of u)``; phi never falls, so this is the maximum of phi(u) too.

    Args:
        potential: ``(N, 4, R, C, O)``.
        activity: ``(N, R, C, O)``, written.
        winner: uint8 ``(N, R, C, O)``, written: the first place of the largest u, or 4 where hardtanh is saturated.
            None where nothing learns.
        nonlinearity: a word of `NONLINEARITIES`.
    """
    phi = NONLINEARITIES[nonlinearity].phi
    for n, r, c, o in np.ndindex(activity.shape):
        place = int(np.argmax(potential[n, :, r, c, o]))
        x = phi(potential[n, place, r, c, o])
        activity[n, r, c, o] = x
        if winner is not None:
            winner[n, r, c, o] = CLOSED if nonlinearity == "hardtanh" and not -1 < x < 1 else place


@units.gate.reference
def gate(activity: Array, error: Array, post: Array, *, nonlinearity: str) -> None:
    """Postsynaptic factor ``delta = phi'(u) e``, from the stored activity."""
    slope = NONLINEARITIES[nonlinearity].slope
    for index in np.ndindex(activity.shape):
        post[index] = error[index] * slope(activity[index])


@units.gate_pooled.reference
def gate_pooled(activity: Array, winner: Array, error: Array, post: Array, *, nonlinearity: str) -> None:
    """``delta = phi'(u) e`` at the place that won, 0 at the others.

    Args:
        activity: ``(N, R, C, O)``, stored.
        winner: ``(N, R, C, O)``, as `pool` left it.
        error: ``(N, R, C, O)``.
        post: ``(N, 4, R, C, O)``, written.
        nonlinearity: a word of `NONLINEARITIES`.
    """
    slope = NONLINEARITIES[nonlinearity].slope
    post[...] = 0
    for n, r, c, o in np.ndindex(activity.shape):
        if winner[n, r, c, o] != CLOSED:
            post[n, winner[n, r, c, o], r, c, o] = error[n, r, c, o] * slope(activity[n, r, c, o])


@units.pool_mean.reference
def pool_mean(potential: Array, activity: Array, *, nonlinearity: str) -> None:
    """``x = sum over the window of phi(u) / 4``; potential ``(N, 4, R, C, O)``, activity ``(N, R, C, O)``, written."""
    phi = NONLINEARITIES[nonlinearity].phi
    for n, r, c, o in np.ndindex(activity.shape):
        activity[n, r, c, o] = sum(phi(potential[n, w, r, c, o]) for w in range(4)) / 4


@units.gate_mean.reference
def gate_mean(potential: Array, error: Array, post: Array, *, nonlinearity: str) -> None:
    """``delta = phi'(u) e / 4`` at every place; potential and post ``(N, 4, R, C, O)``, error ``(N, R, C, O)``."""
    rule = NONLINEARITIES[nonlinearity]
    for n, w, r, c, o in np.ndindex(post.shape):
        post[n, w, r, c, o] = rule.slope(rule.phi(potential[n, w, r, c, o])) * error[n, r, c, o] / 4


@units.average.reference
def average(activity: Array, mean: Array) -> None:
    """Mean of every 2 x 2 window of ``activity``, ``(N, 2R, 2C, O)``."""
    for n, r, c, o in np.ndindex(mean.shape):
        mean[n, r, c, o] = sum(activity[n, 2 * r + i, 2 * c + j, o] for i, j in product(range(2), range(2))) / 4


@units.spread.reference
def spread(mean: Array, error: Array) -> None:
    """The error of a mean: a quarter of it at each place of its window."""
    for n, r, c, o in np.ndindex(error.shape):
        error[n, r, c, o] = mean[n, r // 2, c // 2, o] / 4


@units.add_noise.reference
def add_noise(activity: Array, noise: Array, noisy: Array, *, sigma: float) -> None:
    """``x~ = x + sigma n``."""
    for index in np.ndindex(activity.shape):
        noisy[index] = activity[index] + sigma * noise[index]


@units.set_target.reference
def set_target(activity: Array, error: Array, target: Array, *, step: float) -> None:
    """``t = x - step e``."""
    for index in np.ndindex(activity.shape):
        target[index] = activity[index] - step * error[index]


@units.local_loss.reference
def local_loss(activity: Array, target: Array, error: Array, value: Array, *, scale: float) -> None:
    """``e = 2 scale (x - t)``: the derivative of ``scale |x - t|^2``, which is added to value."""
    for index in np.ndindex(activity.shape):
        apart = activity[index] - target[index]
        error[index] = 2 * scale * apart
        value[0] += scale * apart**2


@units.propagate_target.reference
def propagate_target(activity: Array, restored: Array, restored_target: Array, target: Array) -> None:
    """``t = x - g(x above) + g(t above)``: the inverse's own error drops out."""
    for index in np.ndindex(activity.shape):
        target[index] = activity[index] - restored[index] + restored_target[index]
