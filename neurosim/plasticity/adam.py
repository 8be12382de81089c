"""Adam (Kingma and Ba 2015): it divides by a trace of squared changes, so it is not plausible."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel, Kind
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels.sources import register
from neurosim.plasticity.base import Decay, Mu, Name, Plasticity, Rate, descend, descent

if TYPE_CHECKING:
    from neurosim.core.backend import Compiler
    from neurosim.kernels.gpu import Gpu


class Adam(Plasticity):
    """``m, v = traces of c, c^2; w -= rate (m' / (sqrt(v') + eps) + decay w)``, c the summed outer product.

    Parameters:
        ========= ==== ======================================= ========
        name      unit math                                    default
        ========= ==== ======================================= ========
        rate      1    eta, shared, set by the schedule        0.001
        momentum  1    b1, of the trace m of changes           0.9
        decay     1    lambda, pulls weights to zero           0
        ========= ==== ======================================= ========

    ``b2`` is 0.999 and ``eps`` 1e-8.

    Raises:
        WiringError: a number outside its range.
    """

    name = "adam"
    summary = "divides by a trace of squared changes, so it is not plausible; a reference"
    traces = ("trace", "square")

    def __init__(self, rate: Rate = 1e-3, momentum: Mu = 0.9, decay: Decay = 0.0, name: Name = "rate"):
        super().__init__(rate, decay, name)
        self.momentum = momentum

    def state(self, name: str, shape: tuple[int, ...], axes: tuple[str, ...], dtype: DTypeLike) -> dict[str, Buffer]:
        count = Buffer(f"count {name}", ("one",), (1,), Role.PLASTICITY, name, np.int64, lasts=True)
        return {**super().state(name, shape, axes, dtype), "count": count}

    def consolidate(
        self, name: str, weight: Buffer, change: Buffer, state: Mapping[str, Buffer], bound: float
    ) -> Iterator[Step]:
        yield Step(tick, f"{name} counts its changes", "t = t + 1", {"count": state["count"]})
        equation = f"m, v = traces of c, c^2; {name} -= rate (m' / (sqrt(v') + eps) + decay {name})"
        numbers = {"beta1": self.momentum, "beta2": 0.999, "epsilon": 1e-8}
        yield self.step(adam, equation, name, weight, change, state, **numbers)


tick = Kernel("tick", kind=Kind.COUNT, updates={"count": "1: index"}, equation="count = count + 1")

adam = Kernel(
    "adam",
    kind=Kind.PLASTICITY,
    reads={"change": "synapse", "count": "1: index", "rate": "1: float64"},
    updates={"weight": "synapse", "trace": "synapse", "square": "synapse"},
    scalars=("beta1", "beta2", "epsilon", "decay"),
    over="synapse",
    equation="trace, square = traces of change, change^2; weight -= rate (m' / (sqrt(v') + epsilon) + decay weight)",
)


@tick.reference
@tick.cpu
def _(count: Array) -> None:
    """How many changes a synapse array has had, ``(1,)``."""
    count[0] += 1


@tick.gpu
def _(gpu: Gpu, count: Array) -> None:
    gpu.launch("float32", "advance", 1, count, 1)


@adam.reference
def _(
    change: Array,
    weight: Array,
    trace: Array,
    square: Array,
    count: Array,
    rate: Array,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
    decay: float,
) -> None:
    """``m = b1 m + (1 - b1) c``, ``v = b2 v + (1 - b2) c^2``, ``w -= eta (m' / (sqrt(v') + epsilon) + lambda w)``.

    ``m' = m / (1 - b1^t)``, ``v' = v / (1 - b2^t)``, t = count. All ``(synapse,)``.
    Source: Kingma and Ba 2015; decay apart from the error's derivative as Loshchilov and Hutter 2019.
    """
    t = int(count[0])
    for s in range(len(weight)):
        trace[s] = beta1 * trace[s] + (1 - beta1) * change[s]
        square[s] = beta2 * square[s] + (1 - beta2) * change[s] ** 2
        mean, power = trace[s] / (1 - beta1**t), square[s] / (1 - beta2**t)
        weight[s] -= rate[0] * (mean / (np.sqrt(power) + epsilon) + decay * weight[s])


@adam.cpu
def _(
    change: Array,
    weight: Array,
    trace: Array,
    square: Array,
    count: Array,
    rate: Array,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
    decay: float,
) -> None:
    """What corrects v stands outside its root, for a pass less."""
    t, real = int(count[0]), weight.dtype.type
    direction, root = (thread_local(name, weight.shape, weight.dtype) for name in ("direction", "root"))
    trace *= real(beta1)
    np.multiply(change, real(1 - beta1), out=direction)
    trace += direction
    square *= real(beta2)
    np.multiply(change, change, out=direction)
    direction *= real(1 - beta2)
    square += direction
    late = math.sqrt(1 - beta2**t)
    np.sqrt(square, out=root)
    root += real(epsilon * late)
    np.divide(trace, root, out=direction)
    descend(direction, weight, rate, decay, late / (1 - beta1**t))


@adam.compiled
def _(
    jit: Compiler,
    change: Array,
    weight: Array,
    trace: Array,
    square: Array,
    count: Array,
    rate: Array,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
    decay: float,
) -> None:
    t, real = int(count[0]), weight.dtype.type
    late = math.sqrt(1 - beta2**t)
    numbers = beta1, 1 - beta1, beta2, 1 - beta2, epsilon * late
    jit(_adam)(change, weight, trace, square, *map(real, numbers), *descent(weight, rate, decay, late / (1 - beta1**t)))


def _adam(
    change: Array,
    weight: Array,
    trace: Array,
    square: Array,
    kept: float,
    new: float,
    kept2: float,
    new2: float,
    epsilon: float,
    eta: float,
    left: float,
) -> None:
    for s in range(weight.size):
        c = change[s]
        m = trace[s] * kept + c * new
        v = square[s] * kept2 + (c * c) * new2
        trace[s] = m
        square[s] = v
        weight[s] = weight[s] * left - m / (np.sqrt(v) + epsilon) * eta


@adam.gpu
def _(
    gpu: Gpu,
    change: Array,
    weight: Array,
    trace: Array,
    square: Array,
    count: Array,
    rate: Array,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
    decay: float,
) -> None:
    numbers = float(beta1), float(beta2), float(epsilon), float(decay)
    gpu.launch(weight.dtype, "adam", weight.size, change, weight, trace, square, count, rate, *numbers)


register("""
KERNEL adam(const REAL *change, REAL *weight, REAL *trace, REAL *square, const Long *ticks, const double *rate, double beta1,
            double beta2, double epsilon, double decay, Index count)
{
    EACH(i) {
        double t = (double)ticks[0];
        trace[i] = (REAL)beta1 * trace[i] + (REAL)(1 - beta1) * change[i];
        square[i] = (REAL)beta2 * square[i] + (REAL)(1 - beta2) * (change[i] * change[i]);
        REAL mean = trace[i] * (REAL)(1 / (1 - pow(beta1, t))), power = square[i] * (REAL)(1 / (1 - pow(beta2, t)));
        change_weight(weight + i, mean / ((REAL)sqrt(power) + (REAL)epsilon), rate, decay);
    }
}
""")
