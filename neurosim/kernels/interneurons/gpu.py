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
    gpu.launch(total.dtype, "sum_field", total.size, activity, total, *activity.shape[1:], side, float(scale))


@interneurons.inhibit_place.gpu
def inhibit_place(gpu: Gpu, presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u -= v m``."""
    _, rows, columns, inhibiting = presynaptic.shape
    sizes = rows, columns, inhibiting, potential.shape[-1], potential.ndim == 5
    gpu.launch(potential.dtype, "inhibit_place", potential.size, presynaptic, weight, potential, *sizes)
