"""Ladder: steps that shrink where changes disagree, as Adam's do, found by comparisons: nothing is divided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel, Kind
from neurosim.core.options import Option
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels.sources import register
from neurosim.plasticity.base import Decay, Mu, Name, Plasticity, Rate, descend, descent, follow

if TYPE_CHECKING:
    from neurosim.core.backend import Compiler
    from neurosim.kernels.gpu import Gpu


MOST_RUNGS = 7


class Ladder(Plasticity):
    """``m = mu m + c; s = max(nu s, |c|); w -= rate (bound sign(m) rung + decay w)``, c the summed outer product. No division.

    A synapse compares its trace m with s, the largest of its changes of late, which fades. With m' = (1 - mu) m, the mean of
    late changes, the rung is 1 where ``|m'| > s/2``, 1/2 where ``|m'| > s/4``, and so on; 0 where it is less than all of these:
    ``|m'| / s`` to the next power of two. Where changes agree the weight moves by whole steps, where they mostly cancel by small
    ones or not at all. Divided, it would be Adam with the largest change for the root of the mean square (AdaMax, Kingma and
    Ba 2015, section 7.1), without what corrects the first batches: these move weights least.

    The rate counts in bounds of the initial weights, 1/sqrt(fan in), so that one rate suits every array.

    Parameters:
        ========= ==== ======================================= ========
        name      unit math                                    default
        ========= ==== ======================================= ========
        rate      1    eta, shared, set by the schedule        0.001
        momentum  1    mu, of the trace m = mu m + c           0.9
        slow      1    nu, of the fading maximum s             0.99
        rungs     1    1, 1/2, 1/4, ..., so many               5
        decay     1    lambda, pulls weights to zero           0
        ========= ==== ======================================= ========

    Raises:
        WiringError: a number outside its range.
    """

    name = "ladder"
    summary = "steps shrink where changes disagree, as adam's do, by comparisons alone: no division"
    traces = ("trace", "size")

    def __init__(
        self,
        rate: Rate = 1e-3,
        momentum: Mu = 0.9,
        slow: Annotated[float, Option("Of the largest change of late, which fades.", low=0, below=1)] = 0.99,
        rungs: Annotated[int, Option("How many sizes a step has: 1, 1/2, 1/4, ...", low=1, high=MOST_RUNGS)] = 5,
        decay: Decay = 0.0,
        name: Name = "rate",
    ):
        super().__init__(rate, decay, name)
        self.momentum, self.slow, self.rungs = momentum, slow, rungs

    def consolidate(
        self, name: str, weight: Buffer, change: Buffer, state: Mapping[str, Buffer], bound: float
    ) -> Iterator[Step]:
        equation = f"m = mu m + c; s = max(nu s, |c|); {name} -= rate (bound sign(m) rung(m : s) + decay {name})"
        # m = mu m + c of a steady c comes to c / (1 - mu): in s's measure this is c.
        numbers = {"momentum": self.momentum, "slow": self.slow, "whole": 1 / (1 - self.momentum), "rungs": self.rungs}
        yield self.step(ladder, equation, name, weight, change, state, bound=bound, **numbers)


ladder = Kernel(
    "ladder",
    kind=Kind.PLASTICITY,
    reads={"change": "synapse", "rate": "1: float64"},
    updates={"weight": "synapse", "trace": "synapse", "size": "synapse"},
    scalars=("bound", "momentum", "slow", "whole", "rungs", "decay"),
    over="synapse",
    equation="trace = momentum trace + change; size = max(slow size, |change|); "
    "weight -= rate (bound sign(trace) rung(trace : size) + decay weight)",
)


@ladder.reference
def _(
    change: Array,
    weight: Array,
    trace: Array,
    size: Array,
    rate: Array,
    *,
    bound: float,
    momentum: float,
    slow: float,
    whole: float,
    rungs: int,
    decay: float,
) -> None:
    """``m = mu m + c``, ``s = max(nu s, |c|)``, ``w -= eta (b sign(m) rung + lambda w)``; all ``(synapse,)``.

    ``b`` is the bound of the initial weights. rung: ``2^-k`` for the first k below ``rungs`` with ``|m| > 2^-(k+1) whole s``,
    0 where there is none; ``whole`` is what m comes to where every change is s.
    """
    for i in range(len(weight)):
        trace[i] = momentum * trace[i] + change[i]
        size[i] = max(slow * size[i], abs(change[i]))
        rung = 1.0
        for _ in range(rungs):
            if abs(trace[i]) > rung * 0.5 * whole * size[i]:
                break
            rung *= 0.5
        else:
            rung = 0.0
        weight[i] -= rate[0] * (bound * np.sign(trace[i]) * rung + decay * weight[i])


@ladder.cpu
def _(
    change: Array,
    weight: Array,
    trace: Array,
    size: Array,
    rate: Array,
    *,
    bound: float,
    momentum: float,
    slow: float,
    whole: float,
    rungs: int,
    decay: float,
) -> None:
    """Steps are counted in the last rung, in single bytes: 1, 2, 4, ... of them."""
    real = weight.dtype.type
    direction, threshold = (thread_local(name, weight.shape, weight.dtype) for name in ("direction", "threshold"))
    steps, passed = (thread_local(name, weight.shape, np.int8) for name in ("steps", "passed"))
    follow(change, trace, momentum)
    size *= real(slow)
    np.absolute(change, out=direction)
    np.maximum(size, direction, out=size)
    np.absolute(trace, out=direction)
    np.multiply(size, real(0.5 * whole), out=threshold)
    np.greater(direction, threshold, out=steps.view(bool))
    for left in reversed(range(rungs - 1)):
        threshold *= real(0.5)
        np.greater(direction, threshold, out=passed.view(bool))
        if left:  # whoever passed one rung passes all below it: the last adds 1, the one above it 1, then 2, 4, ...
            steps += steps
        steps += passed
    np.less(trace, 0, out=passed.view(bool))
    np.negative(passed, out=passed)
    steps ^= passed  # with -1 and then minus -1: the number with the other sign
    steps -= passed
    np.copyto(direction, steps)
    descend(direction, weight, rate, decay, bound * 0.5 ** (rungs - 1))


@ladder.compiled
def _(
    jit: Compiler,
    change: Array,
    weight: Array,
    trace: Array,
    size: Array,
    rate: Array,
    *,
    bound: float,
    momentum: float,
    slow: float,
    whole: float,
    rungs: int,
    decay: float,
) -> None:
    real = weight.dtype.type
    # How many of the last rung's steps each rung adds, of seven; those that are not asked for add none.
    adds = [2.0 ** (rungs - 2 - k) for k in range(rungs - 1)] + [1.0] + [0.0] * (MOST_RUNGS - rungs)
    numbers = tuple(map(real, adds)), real(momentum), real(slow), real(0.5 * whole), real(0.5), real(0)
    jit(_ladder)(change, weight, trace, size, *numbers, *descent(weight, rate, decay, bound * 0.5 ** (rungs - 1)))


def _ladder(
    change: Array,
    weight: Array,
    trace: Array,
    size: Array,
    adds: tuple[float, ...],
    mu: float,
    nu: float,
    first: float,
    half: float,
    zero: float,
    eta: float,
    left: float,
) -> None:
    for i in range(weight.size):
        c = change[i]
        m = trace[i] * mu + c
        trace[i] = m
        s = size[i] * nu
        now, length = abs(c), abs(m)
        s = s if now <= s or s != s else now
        size[i] = s
        threshold, steps = s * first, zero
        for add in adds:
            steps += add if length > threshold else zero
            threshold *= half
        weight[i] = weight[i] * left - (zero - steps if m < zero else steps) * eta


@ladder.gpu
def _(
    gpu: Gpu,
    change: Array,
    weight: Array,
    trace: Array,
    size: Array,
    rate: Array,
    *,
    bound: float,
    momentum: float,
    slow: float,
    whole: float,
    rungs: int,
    decay: float,
) -> None:
    numbers = float(bound), float(momentum), float(slow), float(whole), int(rungs), float(decay)
    gpu.launch(weight.dtype, "ladder", weight.size, change, weight, trace, size, rate, *numbers)


register("""
KERNEL ladder(const REAL *change, REAL *weight, REAL *trace, REAL *size, const double *rate, double bound, double mu, double nu,
              double whole, int rungs, double decay, Index count)
{
    EACH(i) {
        REAL m = trace[i] = (REAL)mu * trace[i] + change[i], faded = (REAL)nu * size[i];
        REAL length = m < 0 ? -m : m, now = change[i] < 0 ? -change[i] : change[i];
        size[i] = faded < now ? now : faded;
        REAL rung = 1, threshold = (REAL)(0.5 * whole) * size[i];
        for (int k = 0; k < rungs && !(length > threshold); k++) {
            threshold *= (REAL)0.5;
            rung = k + 1 < rungs ? rung * (REAL)0.5 : (REAL)0;
        }
        change_weight(weight + i, (REAL)bound * sign(m) * rung, rate, decay);
    }
}
""")
