"""Stochastic descent: every batch changes the weights by its own outer products alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel, Kind
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels.sources import register
from neurosim.plasticity.base import Decay, Name, Plasticity, Rate, descend

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu


class SGD(Plasticity):
    """``w -= rate (c + decay w)``, c the summed outer product. No division.

    Parameters:
        ========= ==== ======================================= ========
        name      unit math                                    default
        ========= ==== ======================================= ========
        rate      1    eta, shared, set by the schedule        0.001
        decay     1    lambda, pulls weights to zero           0
        ========= ==== ======================================= ========

    Raises:
        WiringError: a number outside its range.
    """

    name = "sgd"
    summary = "the outer products of the batch alone"

    def __init__(self, rate: Rate = 1e-3, decay: Decay = 0.0, name: Name = "rate"):
        super().__init__(rate, decay, name)

    def consolidate(
        self, name: str, weight: Buffer, change: Buffer, state: Mapping[str, Buffer], bound: float
    ) -> Iterator[Step]:
        yield self.step(sgd, f"{name} -= rate (c + decay {name})", name, weight, change, state)


sgd = Kernel(
    "sgd",
    kind=Kind.PLASTICITY,
    reads={"change": "synapse", "rate": "1: float64"},
    updates={"weight": "synapse"},
    scalars=("decay",),
    over="synapse",
    equation="weight -= rate (change + decay weight)",
)


@sgd.reference
def _(change: Array, weight: Array, rate: Array, *, decay: float) -> None:
    """``w -= eta (c + lambda w)``; change and weight ``(synapse,)``, rate ``(1,)``."""
    for s in range(len(weight)):
        weight[s] -= rate[0] * (change[s] + decay * weight[s])


@sgd.cpu
def _(change: Array, weight: Array, rate: Array, *, decay: float) -> None:
    direction = thread_local("direction", weight.shape, weight.dtype)
    np.copyto(direction, change)
    descend(direction, weight, rate, decay)


@sgd.gpu
def _(gpu: Gpu, change: Array, weight: Array, rate: Array, *, decay: float) -> None:
    gpu.launch(weight.dtype, "sgd", weight.size, change, weight, rate, float(decay))


register("""
KERNEL sgd(const REAL *change, REAL *weight, const double *rate, double decay, Index count)
{
    EACH(i) change_weight(weight + i, change[i], rate, decay);
}
""")
