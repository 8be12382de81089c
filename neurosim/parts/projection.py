"""Projections: forward, from a population to the one above, and feedback, from above to below."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.buffer import Buffer
from neurosim.parts.population import Population
from neurosim.parts.synapse import CONVOLUTION, DENSE, LOCAL, Synapse
from neurosim.plan import Step

# What carries activity up and error down, by the axes of the weights.
KERNELS = {
    CONVOLUTION: ("convolve", "deliver_convolution"), DENSE: ("dense", "deliver_dense"),
    LOCAL: ("convolve_local", "deliver_local"),
}  # fmt: skip
DENSE_ROWS = 64  # rows a block of a dense product or an untied layer: below that it re-reads its weights too often


def _presynaptic(population: Population, synapse: Synapse, learning: bool) -> Buffer:
    """The stored activity a synapse sees: maps for a convolution, one flat vector a view for a head."""
    activity = population.active_part if learning else population.activity
    return activity.flat() if synapse.axes is DENSE else activity


class Projection:
    """Forward connections ``pre -> post`` through one synapse array."""

    def __init__(self, pre: Population, post: Population, synapse: Synapse):
        self.pre, self.post, self.synapse = pre, post, synapse
        self.convolution = synapse.axes is not DENSE  # from maps to maps; a head reads one flat vector
        self.rows = None if synapse.axes is CONVOLUTION else DENSE_ROWS

    def products(self, rows: int) -> int:
        """Arithmetic operations of one pass of ``rows`` views through the projection."""
        places = int(np.prod(self.post.potential.shape[1:-1])) if self.synapse.axes is CONVOLUTION else 1
        return 2 * rows * places * int(np.prod(self.synapse.shape))

    def transmit(self) -> Iterator[Step]:
        """``u = W * x``; a head's activity is its potential."""
        reads = {"presynaptic": _presynaptic(self.pre, self.synapse, False), "weight": self.synapse.weight}
        name = self.synapse.name
        out = self.post.potential if self.convolution else self.post.activity
        symbol = "*" if self.convolution else ""
        yield Step(KERNELS[self.synapse.axes][0], f"{name}: {self.pre.activity.name} -> {out.name}",
                   f"{out.name} = {name} {symbol}{' ' if symbol else ''}{self.pre.activity.name}", reads,
                   {"potential": out}, over="sample", rows=self.rows,
                   flops=self.products(self.pre.views))  # fmt: skip

    def hebbian(self) -> Iterator[Step]:
        """The outer product of this projection's own pre and post."""
        yield from self.synapse.hebbian(_presynaptic(self.pre, self.synapse, True), self.post.post)

    def settle(self) -> Iterator[Step]:
        """The lasting change."""
        yield from self.synapse.consolidate()


class Feedback:
    """Feedback connections along a forward projection, from its post to its pre, with a weight array of their own.

    Fixed at random: ``e_below = B^T delta``, B drawn independently of W and never changed (``rf``).
    """

    kind = "rf"

    def __init__(self, projection: Projection, synapse: Synapse):
        self.projection, self.synapse = projection, synapse

    @property
    def sent(self) -> Buffer:
        """The array whose transpose is applied to the factor above."""
        return self.synapse.weight

    def deliver(self) -> Iterator[Step]:
        """``e_below = B^T delta``: never sees the forward weights."""
        below, above = self.projection.pre, self.projection.post
        error = below.error if self.projection.convolution else below.error.flat()
        yield Step(KERNELS[self.synapse.axes][1],
                   f"{self.sent.name}: {above.post.name} -> {error.name}",
                   f"{error.name} = {self.sent.name}^T {above.post.name}", {"post": above.post, "weight": self.sent},
                   {"error": error}, over="sample", rows=self.projection.rows,
                   flops=self.projection.products(above.post.shape[0]))  # fmt: skip

    def learn(self) -> Iterator[Step]:
        """Outer product of the feedback's own; none for fixed feedback."""
        yield from ()

    def settle(self) -> Iterator[Step]:
        """The lasting change of the feedback; none for fixed feedback."""
        yield from ()


class UpdatedFeedback(Feedback):
    """``urf``: B changes by its own outer product of the same two activities as W (Amit 2019)."""

    kind = "urf"

    def learn(self) -> Iterator[Step]:
        pre = _presynaptic(self.projection.pre, self.synapse, True)
        yield from self.synapse.hebbian(pre, self.projection.post.post)

    def settle(self) -> Iterator[Step]:
        yield from self.synapse.consolidate()


class SignFeedback(UpdatedFeedback):
    """``sign``: B changes as in urf; sent down is ``scale sign(B)``, by default scale = 1/sqrt(fan in)."""

    kind = "sign"

    def __init__(self, projection: Projection, synapse: Synapse, scale: float | None = None):
        super().__init__(projection, synapse)
        self.scale = 1 / np.sqrt(synapse.fan_in) if scale is None else scale
        self._sent = Buffer(f"sign({synapse.name})", synapse.axes, synapse.shape, "feedback weight", synapse.name,
                            synapse.weight.dtype)  # fmt: skip

    @property
    def sent(self) -> Buffer:
        return self._sent

    def deliver(self) -> Iterator[Step]:
        yield Step("send_sign", f"{self.sent.name} follows the signs of {self.synapse.name}",
                   f"{self.sent.name} = {self.scale:.3g} sign({self.synapse.name})",
                   {"weight": self.synapse.weight.line()}, {"sent": self.sent.line()}, scalars={"scale": self.scale},
                   over="synapse")  # fmt: skip
        yield from super().deliver()
