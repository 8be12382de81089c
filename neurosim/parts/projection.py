"""Projections: forward, from a population to the one above, through one synapse array and perhaps a bias."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.core import tuning
from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.errors import WiringError
from neurosim.kernels.convolution import convolve
from neurosim.kernels.dense import add_bias, dense
from neurosim.kernels.inverse import upconvolve
from neurosim.kernels.local import convolve_local
from neurosim.parts.synapse import CONVOLUTION, DENSE, LOCAL, Synapse, widens

if TYPE_CHECKING:
    from neurosim.core.kernel import Kernel
    from neurosim.parts.interneurons import Interneurons
    from neurosim.parts.population import Units


def as_seen(activity: Buffer, synapse: Synapse) -> Buffer:
    """An activity as a synapse reads it: maps for a convolution, one flat vector a view for a head."""
    return activity.flat() if synapse.axes is DENSE else activity


class Constant:
    """One unit whose activity is constantly one: the presynaptic side of every bias."""

    def __init__(self, dtype: Any):
        self.activity = Buffer("one", ("unit",), (1,), Role.ACTIVITY, "constant unit", dtype, given=True, initial=1)


class Bias:
    """A synapse from the constant unit to every unit of a population; the places of a channel share one weight."""

    def __init__(self, constant: Constant, synapse: Synapse):
        self.constant, self.synapse = constant, synapse

    def transmit(self, potential: Buffer) -> Iterator[Step]:
        """``u = u + b``."""
        b, u = self.synapse.name, potential.name
        yield Step(
            add_bias,
            f"{b}: one -> {u}",
            f"{u} = {u} + {b}",
            {"presynaptic": self.constant.activity, "weight": self.synapse.weight, "potential": potential},
            over="sample",
        )

    def hebbian(self, post: Buffer) -> Iterator[Step]:
        """``c = sum of 1 x postsynaptic factor``."""
        yield from self.synapse.hebbian(self.constant.activity, post)


class Projection:
    """Connections ``pre -> post`` through one synapse array, and perhaps a bias.

    A convolution may lead to a map of the same size, to a window of it that is pooled, or (an inverse path) to a map of
    twice its rows and columns. A dense projection leads from all units of a view to all units of a view.
    """

    def __init__(self, pre: Units, post: Units, synapse: Synapse, bias: Bias | None = None):
        self.pre, self.post, self.synapse, self.bias = pre, post, synapse, bias
        self.interneurons: Interneurons | None = None
        self.convolution = synapse.axes is not DENSE  # from maps to maps; a head reads one flat vector
        self.widens = self.convolution and widens(pre.activity, post.potential)

    @property
    def rows(self) -> int | None:
        """Rows that blocks of its steps should hold; None: as many as fit the cache."""
        small = int(np.prod(self.pre.shape[:2])) <= tuning.CPU.small_map and self.pre.views > tuning.CPU.many_rows
        return tuning.CPU.dense_rows if self.synapse.axes is not CONVOLUTION or small else None

    @property
    def synapses(self) -> list[Synapse]:
        """Its weights, and those of its bias and its interneurons where it has them."""
        others = [part.synapse for part in (self.bias, self.interneurons) if part is not None]
        return [self.synapse, *others]

    @property
    def kernel(self) -> Kernel:
        """What carries activity up."""
        if self.widens:
            return upconvolve
        return {CONVOLUTION: convolve, DENSE: dense, LOCAL: convolve_local}[self.synapse.axes]

    def transmit(self, activity: Buffer | None = None) -> Iterator[Step]:
        """``u = W * x + b``, x the stored activity or another one of the same units; a linear head's u is its activity."""
        x, name = as_seen(activity or self.pre.activity, self.synapse), self.synapse.name
        out = self._flat(self.post.potential)
        symbol = (" *^" if self.widens else " *") if self.convolution else ""
        yield from self.pre.gather()
        untied = f", {name} of every place's own" if self.synapse.axes is LOCAL else ""
        yield Step(
            self.kernel,
            f"{name}: {x.name} -> {out.name}",
            f"{out.name} = {name}{symbol} {x.name}{untied}",
            {"presynaptic": x, "weight": self.synapse.weight, "potential": out},
            over="sample",
            rows=self.rows,
        )
        if self.bias:
            yield from self.bias.transmit(out)
        if self.interneurons:
            yield from self.interneurons.transmit()

    def hebbian(self) -> Iterator[Step]:
        """The outer product of this projection's own pre and post, and of the bias's.

        Raises:
            WiringError: interneurons, which learn by competition alone.
        """
        if self.interneurons:
            raise WiringError(
                f"layer {self.post.number} is centred and learns from an error",
                "competition in a layer whose mean is taken off",
                "leave centred out of the layer, or take rule='hebb' for it",
                argument="network",
            )
        post = self._flat(self.post.post)
        yield from self.synapse.hebbian(as_seen(self.pre.active_part, self.synapse), post)
        if self.bias:
            yield from self.bias.hebbian(post)

    def _flat(self, above: Buffer) -> Buffer:
        """One vector a view where a dense projection leads to a map."""
        return above if self.convolution or len(above.shape) == 2 else above.flat("postsynaptic")

    def apply_update(self) -> Iterator[Step]:
        """The lasting change."""
        for synapse in self.synapses:
            yield from synapse.consolidate()
