"""Interneurons: a population of one unit a place, which takes the mean of what a layer sees off its potentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.kernels.interneurons import inhibit_place, sum_field
from neurosim.parts.population import AXES
from neurosim.parts.synapse import Synapse

if TYPE_CHECKING:
    from neurosim.parts.population import Units


class Interneurons:
    """``m = sum of x over the field / sqrt(d)``, ``u = W * x - V m``: what all d inputs of a place share inhibits its units.

    Parameters:
        ==== ==== ============================================== ========================================
        name unit math                                           default
        ==== ==== ============================================== ========================================
        m    1    one a place; fixed, equal connections          made anew
        V    1    one a unit, inhibitory                         ``sum W / sqrt(d)``
        ==== ==== ============================================== ========================================

    V begins at ``sum W / sqrt(d)``. Where it learns as W does, by ``y (m - V)`` beside ``y (x - W)``, it stays there, since
    both are linear in what is presynaptic: each unit then sees its field with the mean taken off, by a subtraction, and no
    synapse knows another.

    Args:
        pre, post: of the projection whose units are inhibited.
        synapse: of that projection.
    """

    def __init__(self, pre: Units, post: Units, synapse: Synapse):
        number, dtype, places = post.number, post.potential.dtype, (pre.views, *pre.shape[:2], 1)
        self.pre, self.post, self.side = pre, post, synapse.shape[0]
        self.scale = 1 / np.sqrt(synapse.fan_in)
        self.activity = Buffer(f"m{number}", AXES, places, Role.ACTIVITY, pre.activity.owner, dtype)
        shape, role = (1, 1, 1, synapse.shape[-1]), synapse.weight.role
        self.synapse = Synapse(f"V{number}", shape, role, [0], synapse.plasticity, dtype)
        self.synapse.weight.put(synapse.weight.host().sum(axis=(0, 1, 2)) * self.scale)

    def transmit(self) -> Iterator[Step]:
        """``u = u - V m``."""
        x, m, u, v = self.pre.activity, self.activity, self.post.potential, self.synapse
        arguments, scalars = {"activity": x, "total": m}, {"side": self.side, "scale": self.scale}
        label, equation = f"{m.name} sums its field", f"{m.name} = {self.scale:.3g} sum {x.name}"
        yield Step(sum_field, label, equation, arguments, scalars=scalars, over="sample")
        weights = {"presynaptic": m, "weight": v.weight, "potential": u}
        yield Step(
            inhibit_place,
            f"{v.name}: {m.name} -| {u.name}",
            f"{u.name} = {u.name} - {v.name} {m.name}",
            weights,
            over="sample",
        )

    def hebbian(self, post: Buffer) -> Iterator[Step]:
        """``c = sum of m x postsynaptic activity``."""
        start = self.post.learning
        pre = self.activity.part(self.activity.name, start, self.post.views) if start else self.activity
        yield from self.synapse.hebbian(pre, post)
