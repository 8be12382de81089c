"""Predictive: anti-Hebbian connections that take off what others carry already; of the first stage alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel, Kind
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels.sources import register
from neurosim.plasticity.base import Plasticity

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu


class Predictive(Plasticity):
    """``w += rate (own - share c - decay w)``, c the summed outer product. No division.

    Every connection is weakened by the product of what it carries and what its unit answers, so that it comes to inhibit by
    what the others predict (Srinivasan, Laughlin, Dubs 1982); the unit's own input, ``own``, is not. It ends at
    ``w = (C + decay)^{-1} own``, C the covariance of what is presynaptic.

    Parameters:
        ========= ==== ============================================== ========
        name      unit math                                           default
        ========= ==== ============================================== ========
        rate      1    eta, shared, set by the schedule               given
        decay     1    lambda: so much of the variance is noise       given
        share     1    one by the places that c is summed over        given
        own       1    drive of every synapse: not 0 of a unit's own  given
        ========= ==== ============================================== ========

    Args:
        rate, decay, share: as above.
        own: as the weights.
        name: of the array of the rate.
    """

    def __init__(self, rate: float, decay: float, share: float, own: Array, name: str):
        super().__init__(rate, decay, name)
        self.share, self.own = share, own

    def state(self, name: str, shape: tuple[int, ...], axes: tuple[str, ...], dtype: DTypeLike) -> dict[str, Buffer]:
        """The drive of every synapse, which stays."""
        own = Buffer(f"own {name}", axes, shape, Role.PLASTICITY, name, dtype, given=True, initial=self.own)
        return {"own": own}

    def consolidate(
        self, name: str, weight: Buffer, change: Buffer, state: Mapping[str, Buffer], bound: float
    ) -> Iterator[Step]:
        lines, more = {"own": state["own"].line()}, {"share": self.share}
        equation = f"{name} += rate (own - share c - decay {name})"
        yield self.step(predictive, equation, name, weight, change, lines, **more)


predictive = Kernel(
    "predictive",
    kind=Kind.PLASTICITY,
    reads={"change": "synapse", "own": "synapse", "rate": "1: float64"},
    updates={"weight": "synapse"},
    scalars=("decay", "share"),
    over="synapse",
    equation="weight += rate (own - share change - decay weight)",
)


@predictive.reference
def _(change: Array, own: Array, weight: Array, rate: Array, *, decay: float, share: float) -> None:
    """``w += eta (own - share c - lambda w)``; all ``(synapse,)``, rate ``(1,)``."""
    for s in range(len(weight)):
        weight[s] += rate[0] * (own[s] - share * change[s] - decay * weight[s])


@predictive.cpu
def _(change: Array, own: Array, weight: Array, rate: Array, *, decay: float, share: float) -> None:
    real, step = weight.dtype.type, thread_local("direction", weight.shape, weight.dtype)
    np.multiply(change, real(share), out=step)
    np.subtract(own, step, out=step)
    step *= real(rate[0])
    weight *= real(1 - rate[0] * decay)
    weight += step


@predictive.gpu
def _(gpu: Gpu, change: Array, own: Array, weight: Array, rate: Array, *, decay: float, share: float) -> None:
    numbers: list[Any] = [float(decay), float(share)]
    gpu.launch(weight.dtype, "predictive", weight.size, change, own, weight, rate, *numbers)


register("""
KERNEL predictive(const REAL *change, const REAL *own, REAL *weight, const double *rate, double decay, double share,
                  Index count)
{
    EACH(i) weight[i] += (REAL)rate[0] * (own[i] - (REAL)share * change[i] - (REAL)decay * weight[i]);
}
""")
