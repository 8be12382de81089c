"""Competition on a GPU: a thread a place, then a thread a channel, so that sums have one order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.core.typing import Array
from neurosim.kernels import competition
from neurosim.kernels.competition import KINDS
from neurosim.kernels.sources import register

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

register(Path(__file__).with_name("kernels.cu"))


@competition.compete.gpu
def compete(
    gpu: Gpu,
    potential: Array,
    threshold: Array,
    activity: Array,
    active: Array,
    wins: Array,
    *,
    kind: str,
    winners: int,
) -> None:
    """The places of a block at once: k times the largest of a row."""
    units, real = potential.shape[-1], potential.dtype
    places = potential.size // units
    won = gpu.workspace("won", potential.shape, "uint8")
    sizes = units, KINDS.index(kind), winners
    gpu.launch(real, "compete", places, potential, threshold, activity, won, *sizes)
    gpu.launch(real, "tally_wins", units, potential, activity, won, active, wins, places, *sizes[:2])


@competition.to_synapses.gpu
def to_synapses(gpu: Gpu, active: Array, at_synapses: Array, *, strength: float) -> None:
    """``at_synapses[..., o] = strength active[o]``."""
    gpu.launch(at_synapses.dtype, "to_synapses", at_synapses.size, active, at_synapses, float(strength), active.size)


@competition.adapt.gpu
def adapt(gpu: Gpu, wins: Array, threshold: Array, value: Array, *, fair: float, homeostasis: float) -> None:
    """``theta += gamma (fair wins - 1)``."""
    gpu.launch(threshold.dtype, "adapt", threshold.size, wins, threshold, float(fair), float(homeostasis))
    gpu.launch(threshold.dtype, "count_silent", 1, wins, value, threshold.size)
