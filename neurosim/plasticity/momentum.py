"""Momentum: a trace of past outer products changes the weights."""

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
from neurosim.plasticity.base import Decay, Mu, Name, Plasticity, Rate, descend, descent, follow

if TYPE_CHECKING:
    from neurosim.core.backend import Compiler
    from neurosim.kernels.gpu import Gpu


class Momentum(Plasticity):
    """``m = mu m + c; w -= rate (m + decay w)``, c the summed outer product. No division.

    Parameters:
        ========= ==== ======================================= ========
        name      unit math                                    default
        ========= ==== ======================================= ========
        rate      1    eta, shared, set by the schedule        0.001
        momentum  1    mu, of the trace m = mu m + c           0.9
        decay     1    lambda, pulls weights to zero           0
        ========= ==== ======================================= ========

    Raises:
        WiringError: a number outside its range.
    """

    name = "momentum"
    summary = "a trace of the outer products of this and earlier batches"
    traces = ("trace",)

    def __init__(self, rate: Rate = 1e-3, momentum: Mu = 0.9, decay: Decay = 0.0, name: Name = "rate"):
        super().__init__(rate, decay, name)
        self.momentum = momentum

    def consolidate(
        self, name: str, weight: Buffer, change: Buffer, state: Mapping[str, Buffer], bound: float
    ) -> Iterator[Step]:
        equation = f"m = mu m + c; {name} -= rate (m + decay {name})"
        yield self.step(momentum, equation, name, weight, change, state, momentum=self.momentum)


momentum = Kernel(
    "momentum",
    kind=Kind.PLASTICITY,
    reads={"change": "synapse", "rate": "1: float64"},
    updates={"weight": "synapse", "trace": "synapse"},
    scalars=("momentum", "decay"),
    over="synapse",
    equation="trace = momentum trace + change; weight -= rate (trace + decay weight)",
)


@momentum.reference
def _(change: Array, weight: Array, trace: Array, rate: Array, *, momentum: float, decay: float) -> None:
    """``m = mu m + c``, ``w -= eta (m + lambda w)``; all ``(synapse,)``, rate ``(1,)``."""
    for s in range(len(weight)):
        trace[s] = momentum * trace[s] + change[s]
        weight[s] -= rate[0] * (trace[s] + decay * weight[s])


@momentum.cpu
def _(change: Array, weight: Array, trace: Array, rate: Array, *, momentum: float, decay: float) -> None:
    follow(change, trace, momentum)
    direction = thread_local("direction", weight.shape, weight.dtype)
    np.copyto(direction, trace)
    descend(direction, weight, rate, decay)


@momentum.compiled
def _(jit: Compiler, change: Array, weight: Array, trace: Array, rate: Array, *, momentum: float, decay: float) -> None:
    jit(_momentum)(change, weight, trace, weight.dtype.type(momentum), *descent(weight, rate, decay))


def _momentum(change: Array, weight: Array, trace: Array, mu: float, eta: float, left: float) -> None:
    for s in range(weight.size):
        m = trace[s] * mu + change[s]
        trace[s] = m
        weight[s] = weight[s] * left - m * eta


@momentum.gpu
def _(gpu: Gpu, change: Array, weight: Array, trace: Array, rate: Array, *, momentum: float, decay: float) -> None:
    gpu.launch(weight.dtype, "momentum", weight.size, change, weight, trace, rate, float(momentum), float(decay))


register("""
KERNEL momentum(const REAL *change, REAL *weight, REAL *trace, const double *rate, double mu, double decay, Index count)
{
    EACH(i) {
        trace[i] = (REAL)mu * trace[i] + change[i];
        change_weight(weight + i, trace[i], rate, decay);
    }
}
""")
