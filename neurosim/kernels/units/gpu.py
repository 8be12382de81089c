"""Units on a GPU: launches of kernels.cu, one element a thread; reference.py says what each computes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.kernels import units
from neurosim.kernels.sources import register
from neurosim.kernels.units import NONLINEARITIES

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

register(Path(__file__).with_name("kernels.cu"))


def _inside(activity: Array) -> int:
    """Units of one sample: elements of one place of the window."""
    return activity.size // max(1, len(activity))


@units.activate.gpu
def activate(gpu: Gpu, potential: Array, activity: Array, *, nonlinearity: str) -> None:
    """``x = phi(u)``."""
    phi = NONLINEARITIES[nonlinearity].number
    gpu.launch(activity.dtype, "activate", activity.size, potential, activity, phi)


def _subtract_mean(gpu: Gpu, units: Array) -> None:
    """The means first, then what is left of every unit."""
    channels = units.shape[-1]
    mean = gpu.workspace("mean", (units.size // channels,), units.dtype)
    gpu.launch(units.dtype, "mean_of_channels", mean.size, units, mean, channels)
    gpu.launch(units.dtype, "subtract_mean", units.size, mean, units, channels)


@units.inhibit.gpu
def inhibit(gpu: Gpu, potential: Array) -> None:
    """``u -= mean over channels of u``."""
    _subtract_mean(gpu, potential)


@units.inhibit_factor.gpu
def inhibit_factor(gpu: Gpu, post: Array) -> None:
    """``delta -= mean over channels of delta``."""
    _subtract_mean(gpu, post)


@units.pool.gpu
def pool(gpu: Gpu, potential: Array, activity: Array, winner: Array | None = None, *, nonlinearity: str) -> None:
    """``x = phi(max of a window)``, and which place won."""
    phi, inside = NONLINEARITIES[nonlinearity].number, _inside(activity)
    if winner is None:
        gpu.launch(activity.dtype, "pool_alone", activity.size, potential, activity, phi, inside)
    else:
        gpu.launch(activity.dtype, "pool", activity.size, potential, activity, winner, phi, inside)


@units.gate.gpu
def gate(gpu: Gpu, activity: Array, error: Array, post: Array, *, nonlinearity: str) -> None:
    """``post = phi'(u) error``."""
    gpu.launch(post.dtype, "gate", post.size, activity, error, post, NONLINEARITIES[nonlinearity].number)


@units.gate_pooled.gpu
def gate_pooled(gpu: Gpu, activity: Array, winner: Array, error: Array, post: Array, *, nonlinearity: str) -> None:
    """The error goes to the place that won, through its gate."""
    phi = NONLINEARITIES[nonlinearity].number
    gpu.launch(post.dtype, "gate_pooled", error.size, activity, winner, error, post, phi, _inside(error))


@units.pool_mean.gpu
def pool_mean(gpu: Gpu, potential: Array, activity: Array, *, nonlinearity: str) -> None:
    """``x = mean over a window of phi(u)``."""
    phi, inside = NONLINEARITIES[nonlinearity].number, _inside(activity)
    gpu.launch(activity.dtype, "pool_mean", activity.size, potential, activity, phi, inside)


@units.gate_mean.gpu
def gate_mean(gpu: Gpu, potential: Array, error: Array, post: Array, *, nonlinearity: str) -> None:
    """A quarter of the error at each place, through its gate."""
    phi, inside = NONLINEARITIES[nonlinearity].number, _inside(error)
    gpu.launch(post.dtype, "gate_mean", post.size, potential, error, post, phi, inside)


@units.average.gpu
def average(gpu: Gpu, activity: Array, mean: Array) -> None:
    """Mean over 2 x 2 windows."""
    gpu.launch(mean.dtype, "average", mean.size, activity, mean, *mean.shape[1:])


@units.spread.gpu
def spread(gpu: Gpu, mean: Array, error: Array) -> None:
    """A quarter of the error at each place of a window."""
    gpu.launch(error.dtype, "spread", error.size, mean, error, *mean.shape[1:])


@units.add_noise.gpu
def add_noise(gpu: Gpu, activity: Array, noise: Array, noisy: Array, *, sigma: float) -> None:
    """``x~ = x + sigma n``."""
    gpu.launch(noisy.dtype, "add_noise", noisy.size, activity, noise, noisy, float(sigma))


@units.set_target.gpu
def set_target(gpu: Gpu, activity: Array, error: Array, target: Array, *, step: float) -> None:
    """``t = x - step e``."""
    gpu.launch(target.dtype, "set_target", target.size, activity, error, target, float(step))


@units.local_loss.gpu
def local_loss(gpu: Gpu, activity: Array, target: Array, error: Array, value: Array, *, scale: float) -> None:
    """``e = 2 scale (x - t)``; ``value += scale |x - t|^2``."""
    parts = max(1, min(error.size, 64 * tuning.GPU.partial_sums))
    partial = gpu.workspace("partial", (1, parts), "float64")
    gpu.launch(error.dtype, "local_loss", partial.size, activity, target, error, partial, float(scale), error.size)
    gpu.collect(partial, value)


@units.propagate_target.gpu
def propagate_target(gpu: Gpu, activity: Array, restored: Array, restored_target: Array, target: Array) -> None:
    """``t = x - g(x above) + g(t above)``."""
    gpu.launch(target.dtype, "propagate_target", target.size, activity, restored, restored_target, target)
