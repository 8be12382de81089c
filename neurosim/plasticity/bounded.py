"""Bounded: what a unit won draws its weights near, and every weight decays by as much as its unit was active."""

from __future__ import annotations

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
from neurosim.plasticity.base import Decay, Name, Plasticity, Rate

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

HALVINGS = 16  # enough for a unit that is active 65,536 times as much as its step allows; with 8 oja could run away


class Bounded(Plasticity):
    """``w += rate (c - (a + decay) w)``, c the summed outer product, a the summed activity of the unit. No division.

    The sum over a batch of ``y (x - w)``: the weights of a unit move towards what it was active for, and no further, so
    that nothing needs to be divided by their size (Rumelhart and Zipser 1985; with ``a = y^2``, Oja 1982). Rules without
    competition leave a at 0.

    Parameters:
        ========= ==== ======================================= ========
        name      unit math                                    default
        ========= ==== ======================================= ========
        rate      1    eta, shared, set by the schedule        0.1
        decay     1    lambda, pulls weights to zero           0
        ========= ==== ======================================= ========

    A step that would go beyond what it aims at, ``rate (a + decay) > 1``, is halved until it does not.

    Raises:
        WiringError: a number outside its range.
    """

    name = "bounded"
    summary = "towards what a unit was active for: the decay grows with the unit's activity"

    def __init__(self, rate: Rate = 0.1, decay: Decay = 0.0, name: Name = "rate"):
        super().__init__(rate, decay, name)

    def state(self, name: str, shape: tuple[int, ...], axes: tuple[str, ...], dtype: DTypeLike) -> dict[str, Buffer]:
        """How active the unit of every synapse was, made anew every batch by `neurosim.parts.competition`."""
        return {"active": Buffer(f"active {name}", axes, shape, Role.PLASTICITY, name, dtype)}

    def consolidate(
        self, name: str, weight: Buffer, change: Buffer, state: Mapping[str, Buffer], bound: float
    ) -> Iterator[Step]:
        lines = {"active": state["active"].line()}
        yield self.step(bounded, f"{name} += rate (c - a {name})", name, weight, change, lines)


bounded = Kernel(
    "bounded",
    kind=Kind.PLASTICITY,
    reads={"change": "synapse", "active": "synapse", "rate": "1: float64"},
    updates={"weight": "synapse"},
    scalars=("decay",),
    over="synapse",
    equation="weight += rate (change - (active + decay) weight), halved until rate (active + decay) <= 1",
)


@bounded.reference
def _(change: Array, active: Array, weight: Array, rate: Array, *, decay: float) -> None:
    """``w += eta (c - (a + lambda) w)``, halved while it goes too far; all ``(synapse,)``, rate ``(1,)``.

    For want of a division a step is halved, by comparisons, until ``eta (a + lambda)`` is at most 1.
    """
    for s in range(len(weight)):
        pull, size = rate[0] * (active[s] + decay), 1.0
        for k in range(HALVINGS):
            if pull > 2**k:
                size *= 0.5
        weight[s] += size * (rate[0] * change[s] - pull * weight[s])


@bounded.cpu
def _(change: Array, active: Array, weight: Array, rate: Array, *, decay: float) -> None:
    real, eta = weight.dtype.type, weight.dtype.type(rate[0])
    step, pull, drawn = (
        thread_local(f"bounded.{name}", weight.shape, weight.dtype) for name in ("step", "pull", "drawn")
    )
    far = thread_local("bounded.far", weight.shape, bool)
    np.add(active, real(decay), out=pull)
    pull *= eta
    np.multiply(change, eta, out=step)
    np.multiply(pull, weight, out=drawn)
    step -= drawn
    for k in range(HALVINGS):
        np.greater(pull, real(2**k), out=far)
        np.multiply(step, real(0.5), out=step, where=far)
    weight += step


@bounded.gpu
def _(gpu: Gpu, change: Array, active: Array, weight: Array, rate: Array, *, decay: float) -> None:
    gpu.launch(weight.dtype, "bounded", weight.size, change, active, weight, rate, float(decay), HALVINGS)


register("""
KERNEL bounded(const REAL *change, const REAL *active, REAL *weight, const double *rate, double decay, int halvings,
               Index count)
{
    EACH(i) {
        REAL eta = (REAL)rate[0], pull = eta * (active[i] + (REAL)decay), step = eta * change[i] - pull * weight[i];
        for (int k = 0; k < halvings; k++)
            if (pull > (REAL)(1 << k)) step *= (REAL)0.5;
        weight[i] += step;
    }
}
""")
