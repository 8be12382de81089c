"""Projections: forward, from a population to the one above, and feedback, from above to below."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.plan import Step
from neurosim.parts.population import Population
from neurosim.parts.synapse import CONVOLUTION, DENSE, LOCAL, Synapse, widens

# What carries activity up and error down, by the axes of the weights.
KERNELS = {
    CONVOLUTION: ("convolve", "deliver_convolution"), DENSE: ("dense", "deliver_dense"),
    LOCAL: ("convolve_local", "deliver_local"),
}  # fmt: skip
DENSE_ROWS = 64  # rows a block of a dense product or an untied layer: below that it re-reads its weights too often
MANY_ROWS = 7 * DENSE_ROWS  # of more views, a head's error is made a block at a time, and never lies in memory whole
SMALL_MAP = 4 * 4  # places at most: a convolution of many of these re-reads its weights too often, too


def _seen(activity: Buffer, synapse: Synapse) -> Buffer:
    """An activity as a synapse sees it: maps for a convolution, one flat vector a view for a head."""
    return activity.flat() if synapse.axes is DENSE else activity


class Constant:
    """One unit whose activity is constantly one: the presynaptic side of every bias."""

    def __init__(self, dtype):
        self.activity = Buffer("one", ("unit",), (1,), "activity", "constant unit", dtype, initial=1)


class Bias:
    """A synapse from the constant unit to every unit of a population; the places of a channel share one weight."""

    def __init__(self, constant: Constant, synapse: Synapse):
        self.constant, self.synapse = constant, synapse

    def transmit(self, potential: Buffer) -> Iterator[Step]:
        """``u = u + b``."""
        b, u = self.synapse.name, potential.name
        yield Step("add_bias", f"{b}: one -> {u}", f"{u} = {u} + {b}",
                   {"presynaptic": self.constant.activity, "weight": self.synapse.weight},
                   updates={"potential": potential}, over="sample")  # fmt: skip

    def hebbian(self, post: Buffer) -> Iterator[Step]:
        """``c = sum of 1 x postsynaptic factor``."""
        yield from self.synapse.hebbian(self.constant.activity, post)


class Projection:
    """Connections ``pre -> post`` through one synapse array, and perhaps a bias.

    A convolution may lead to a map of the same size, to a window of it that is pooled, or (an inverse path) to a map of
    twice its rows and columns. A dense projection leads from all units of a view to all units of a view.
    """

    def __init__(self, pre: Population, post: Population, synapse: Synapse, bias: Bias | None = None):
        self.pre, self.post, self.synapse, self.bias = pre, post, synapse, bias
        self.convolution = synapse.axes is not DENSE  # from maps to maps; a head reads one flat vector
        small = int(np.prod(pre.shape[:2])) <= SMALL_MAP and pre.views > MANY_ROWS
        self.rows = DENSE_ROWS if synapse.axes is not CONVOLUTION or small else None
        self.widens = self.convolution and widens(pre.activity, post.potential)

    @property
    def synapses(self) -> list[Synapse]:
        """Its weights, and its bias where it has one."""
        return [self.synapse, self.bias.synapse] if self.bias else [self.synapse]

    def products(self, rows: int) -> int:
        """Arithmetic operations of one pass of ``rows`` views through the projection."""
        small = self.pre.activity if self.widens else self.post.potential
        places = int(np.prod(small.shape[1:-1])) if self.synapse.axes is CONVOLUTION else 1
        return 2 * rows * places * int(np.prod(self.synapse.shape))

    def transmit(self, activity: Buffer | None = None) -> Iterator[Step]:
        """``u = W * x + b``, x the stored activity or another one of the same units; a linear head's u is its activity."""
        x, out, name = _seen(activity or self.pre.activity, self.synapse), self.post.potential, self.synapse.name
        kernel = "upconvolve" if self.widens else KERNELS[self.synapse.axes][0]
        symbol = (" *^" if self.widens else " *") if self.convolution else ""
        out = self._flat(out)
        yield from self.pre.gather()
        untied = f", {name} of every place's own" if self.synapse.axes is LOCAL else ""
        yield Step(kernel, f"{name}: {x.name} -> {out.name}", f"{out.name} = {name}{symbol} {x.name}{untied}",
                   {"presynaptic": x, "weight": self.synapse.weight}, {"potential": out}, over="sample", rows=self.rows,
                   flops=self.products(x.shape[0]))  # fmt: skip
        if self.bias:
            yield from self.bias.transmit(out)

    def hebbian(self) -> Iterator[Step]:
        """The outer product of this projection's own pre and post, and of the bias's."""
        post = self._flat(self.post.post)
        yield from self.synapse.hebbian(_seen(self.pre.active_part, self.synapse), post)
        if self.bias:
            yield from self.bias.hebbian(post)

    def _flat(self, above: Buffer) -> Buffer:
        """One vector a view where a dense projection leads to a map."""
        return above if self.convolution or len(above.shape) == 2 else above.flat("postsynaptic")

    def apply_update(self) -> Iterator[Step]:
        """The lasting change."""
        for synapse in self.synapses:
            yield from synapse.consolidate()


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
        convolution, below, above = self.projection.convolution, self.projection.pre, self.projection.post
        error = below.error if convolution else below.error.flat()
        by_views = convolution or above.post.shape[0] > MANY_ROWS
        yield Step(KERNELS[self.synapse.axes][1],
                   f"{self.sent.name}: {above.post.name} -> {error.name}",
                   f"{error.name} = {self.sent.name}^T {above.post.name}", {"post": above.post, "weight": self.sent},
                   {"error": error}, over="sample" if by_views else "presynaptic",
                   rows=self.projection.rows if by_views else None,
                   flops=self.projection.products(above.post.shape[0]))  # fmt: skip
        yield from below.spread()

    def learn(self) -> Iterator[Step]:
        """Outer product of the feedback's own; none for fixed feedback."""
        yield from ()

    def apply_update(self) -> Iterator[Step]:
        """The lasting change of the feedback; none for fixed feedback."""
        yield from ()


class UpdatedFeedback(Feedback):
    """``urf``: B changes by its own outer product of the same two activities as W (Amit 2019)."""

    kind = "urf"

    def learn(self) -> Iterator[Step]:
        pre = _seen(self.projection.pre.active_part, self.synapse)
        yield from self.synapse.hebbian(pre, self.projection.post.post)

    def apply_update(self) -> Iterator[Step]:
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
