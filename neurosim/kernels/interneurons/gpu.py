"""Interneurons on a GPU: one element of a result a thread; reference.py says what each kernel computes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.core.typing import Array
from neurosim.kernels import interneurons
from neurosim.kernels.sources import register

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

register(Path(__file__).with_name("kernels.cu"))


@interneurons.sum_field.gpu
def sum_field(gpu: Gpu, activity: Array, total: Array, *, side: int, scale: float) -> None:
    """A thread a place."""
    sizes = activity.shape[1:]
    gpu.launch(total.dtype, "sum_field", total.size, activity, total, *sizes, total.ndim == 5, side, float(scale))


@interneurons.inhibit_place.gpu
def inhibit_place(gpu: Gpu, presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u -= v m``."""
    gpu.launch(potential.dtype, "inhibit_place", potential.size, presynaptic, weight, potential, *weight.shape)


@interneurons.hebbian_place.gpu
def hebbian_place(gpu: Gpu, pre: Array, post: Array, change: Array) -> None:
    """``change += m^T y``, a thread a synapse."""
    units = change.shape[1]
    gpu.launch(change.dtype, "hebbian_place", change.size, pre, post, change, len(change), units, post.size // units)
