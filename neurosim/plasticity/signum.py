"""Signum: the sign of a trace of outer products, signSGD with momentum (Bernstein et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel, Kind
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels.signs import signs
from neurosim.kernels.sources import register
from neurosim.plasticity.base import Decay, Mu, Name, Plasticity, Rate, descend, descent, follow

if TYPE_CHECKING:
    from neurosim.core.backend import Compiler
    from neurosim.kernels.gpu import Gpu


class Signum(Plasticity):
    """``m = mu m + c; w -= rate (bound sign(m) + decay w)``, c the summed outer product. No division.

    The rate counts in bounds of the initial weights, 1/sqrt(fan in), so that one rate suits every array.

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

    name = "signum"
    summary = "the sign of a trace of outer products: no division"
    traces = ("trace",)

    def __init__(self, rate: Rate = 1e-3, momentum: Mu = 0.9, decay: Decay = 0.0, name: Name = "rate"):
        super().__init__(rate, decay, name)
        self.momentum = momentum

    def consolidate(
        self, name: str, weight: Buffer, change: Buffer, state: Mapping[str, Buffer], bound: float
    ) -> Iterator[Step]:
        equation = f"m = mu m + c; {name} -= rate (bound sign(m) + decay {name})"
        yield self.step(signum, equation, name, weight, change, state, momentum=self.momentum, bound=bound)


signum = Kernel(
    "signum",
    kind=Kind.PLASTICITY,
    reads={"change": "synapse", "rate": "1: float64"},
    updates={"weight": "synapse", "trace": "synapse"},
    scalars=("bound", "momentum", "decay"),
    over="synapse",
    equation="trace = momentum trace + change; weight -= rate (bound sign(trace) + decay weight)",
)


@signum.reference
def _(change: Array, weight: Array, trace: Array, rate: Array, *, bound: float, momentum: float, decay: float) -> None:
    """``m = mu m + c``, ``w -= eta (b sign(m) + lambda w)``: no division, sign(0) = 0; all ``(synapse,)``.

    ``b`` is the bound of the initial weights. Source: Bernstein et al. 2018, signSGD with momentum.
    """
    for s in range(len(weight)):
        trace[s] = momentum * trace[s] + change[s]
        weight[s] -= rate[0] * (bound * np.sign(trace[s]) + decay * weight[s])


@signum.cpu
def _(change: Array, weight: Array, trace: Array, rate: Array, *, bound: float, momentum: float, decay: float) -> None:
    follow(change, trace, momentum)
    direction = thread_local("direction", weight.shape, weight.dtype)
    signs(trace, direction)
    descend(direction, weight, rate, decay, bound)


@signum.compiled
def _(
    jit: Compiler,
    change: Array,
    weight: Array,
    trace: Array,
    rate: Array,
    *,
    bound: float,
    momentum: float,
    decay: float,
) -> None:
    eta, left = descent(weight, rate, decay, bound)
    jit(_signum)(change, weight, trace, weight.dtype.type(momentum), weight.dtype.type(0), eta, left)


def _signum(change: Array, weight: Array, trace: Array, mu: float, zero: float, eta: float, left: float) -> None:
    for s in range(weight.size):
        m = trace[s] * mu + change[s]
        trace[s] = m
        step = eta if m > zero else zero
        if m < zero:
            step = -eta
        weight[s] = weight[s] * left - step


@signum.gpu
def _(
    gpu: Gpu, change: Array, weight: Array, trace: Array, rate: Array, *, bound: float, momentum: float, decay: float
) -> None:
    numbers = float(bound), float(momentum), float(decay)
    gpu.launch(weight.dtype, "signum", weight.size, change, weight, trace, rate, *numbers)


register("""
KERNEL signum(const REAL *change, REAL *weight, REAL *trace, const double *rate, double bound, double mu, double decay, Index count)
{
    EACH(i) {
        trace[i] = (REAL)mu * trace[i] + change[i];
        change_weight(weight + i, (REAL)bound * sign(trace[i]), rate, decay);
    }
}
""")
