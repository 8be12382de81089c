"""What every plasticity offers."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from neurosim.core import tuning
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.core.options import Declared, Option
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.core.typing import Array

Rate: TypeAlias = Annotated[float, Option("How far a change moves the weights.", low=0)]
Mu: TypeAlias = Annotated[float, Option("Of the trace of changes.", low=0, below=1)]
Decay: TypeAlias = Annotated[float, Option("Of the weights, in units of the rate.", low=0)]
Name: TypeAlias = Annotated[str, Option("Of the array of the rate.", derived=True)]


class Plasticity(Declared):
    """One plasticity for many synapses, each with traces of its own; c is the summed outer product.

    Parameters:
        ========= ==== ======================================= ========
        name      unit math                                    default
        ========= ==== ======================================= ========
        rate      1    eta, shared, set by the schedule        0.001
        decay     1    lambda, pulls weights to zero           0
        ========= ==== ======================================= ========

    Attributes:
        name: as it is asked for: ``signum``.
        summary: one line for help and ``explain``.
        traces: the arguments of its kernel that every synapse array has of its own, one number a synapse.
        base_rate: eta as it was given; the schedule works from it.
        rate: float64 ``(1,)``, eta as it is.

    Raises:
        WiringError: a number outside its range.
    """

    name = ""
    summary = ""
    traces: ClassVar[tuple[str, ...]] = ()

    def __init__(self, rate: Rate = 1e-3, decay: Decay = 0.0, name: Name = "rate"):
        self.decay = decay
        self._set_rate(rate, name)

    def _set_rate(self, rate: float, name: str) -> None:
        self.base_rate = rate
        self.rate = Buffer(name, ("one",), (1,), Role.RATE, "plasticity", np.float64, given=True, initial=rate)

    def with_rate(self, rate: float, name: str) -> Plasticity:
        """The same plasticity with a rate of its own, for synapses that learn faster or slower than others.

        Args:
            rate: eta.
            name: of its array, unique within a network.
        """
        other = copy.copy(self)
        other._set_rate(rate, name)
        return other

    def state(self, name: str, shape: tuple[int, ...], axes: tuple[str, ...], dtype: DTypeLike) -> dict[str, Buffer]:
        """The traces that one synapse array needs.

        Args:
            name, shape, axes, dtype: of the weights.

        Returns:
            Argument of the kernel -> buffer of the weights' shape.
        """
        return {
            trace: Buffer(f"{trace} {name}", axes, shape, Role.PLASTICITY, name, dtype, lasts=True)
            for trace in self.traces
        }

    def consolidate(
        self, name: str, weight: Buffer, change: Buffer, state: Mapping[str, Buffer], bound: float
    ) -> Iterator[Step]:
        """The steps that change one weight array by its own summed outer products and its own traces.

        Args:
            name: of the weights, as in the equations.
            weight: changed in place.
            change: c, of the weights' shape.
            state: what `state` gave for this array.
            bound: of the initial weights.
        """
        raise TypeError(f"{type(self).__name__} has no steps that change a weight")

    def step(
        self,
        kernel: Kernel,
        equation: str,
        name: str,
        weight: Buffer,
        change: Buffer,
        state: Mapping[str, Buffer],
        **scalars: float,
    ) -> Step:
        """The step of an elementwise kernel; scalars beside the decay."""
        arguments = {"change": change.line(), "rate": self.rate, "weight": weight.line()}
        arguments |= {key: array.line() if key in self.traces else array for key, array in state.items()}
        numbers = {"decay": self.decay, **scalars}
        rows = tuning.CPU.synapse_rows
        return Step(kernel, f"{name} changes", equation, arguments, scalars=numbers, over="synapse", rows=rows)


def follow(change: Array, trace: Array, momentum: float) -> None:
    """``m = mu m + c`` on the CPU, in place."""
    trace *= trace.dtype.type(momentum)
    trace += change


def descend(direction: Array, weight: Array, rate: Array, decay: float, size: float = 1.0) -> None:
    """``w -= eta (size direction + lambda w)`` on the CPU, in place; the direction's array is used up."""
    eta = weight.dtype.type(rate[0] * size)
    if decay:
        weight *= weight.dtype.type(1 - rate[0] * decay)
    direction *= eta
    weight -= direction


def descent(weight: Array, rate: Array, decay: float, size: float = 1.0) -> tuple[Any, Any]:
    """The two numbers of `descend` in the weights' type, for compiled loops: ``w = left w - eta direction``."""
    real = weight.dtype.type
    return real(rate[0] * size), real(1 - rate[0] * decay)
