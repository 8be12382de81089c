"""Feedback: what carries errors down, from the post to the pre of a forward projection, with weights of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core import tuning
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel, Kind
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.kernels.convolution import deliver_convolution
from neurosim.kernels.dense import deliver_dense
from neurosim.kernels.local import deliver_local
from neurosim.kernels.signs import signs
from neurosim.kernels.sources import register
from neurosim.parts.projection import Projection, as_seen
from neurosim.parts.synapse import CONVOLUTION, DENSE, LOCAL, Synapse

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.kernels.gpu import Gpu


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

    @property
    def kernel(self) -> Kernel:
        """What carries the error down."""
        return {CONVOLUTION: deliver_convolution, DENSE: deliver_dense, LOCAL: deliver_local}[self.synapse.axes]

    def deliver(self) -> Iterator[Step]:
        """``e_below = B^T delta``: never reads the forward weights."""
        convolution, below, above = self.projection.convolution, self.projection.pre, self.projection.post
        error = below.error if convolution else below.error.flat()
        by_views = convolution or above.post.shape[0] > tuning.CPU.many_rows
        yield Step(
            self.kernel,
            f"{self.sent.name}: {above.post.name} -> {error.name}",
            f"{error.name} = {self.sent.name}^T {above.post.name}",
            {"post": above.post, "weight": self.sent, "error": error},
            over="sample" if by_views else "presynaptic",
            rows=self.projection.rows if by_views else None,
        )
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
        pre = as_seen(self.projection.pre.active_part, self.synapse)
        yield from self.synapse.hebbian(pre, self.projection.post.post)

    def apply_update(self) -> Iterator[Step]:
        yield from self.synapse.consolidate()


class SignFeedback(UpdatedFeedback):
    """``sign``: B changes as in urf; sent down is ``scale sign(B)``, by default scale = 1/sqrt(fan in)."""

    kind = "sign"

    def __init__(self, projection: Projection, synapse: Synapse, scale: float | None = None):
        super().__init__(projection, synapse)
        self.scale = 1 / np.sqrt(synapse.fan_in) if scale is None else scale
        name, owner = f"sign({synapse.name})", synapse.name
        self._sent = Buffer(name, synapse.axes, synapse.shape, Role.FEEDBACK_WEIGHT, owner, synapse.weight.dtype)

    @property
    def sent(self) -> Buffer:
        return self._sent

    def deliver(self) -> Iterator[Step]:
        yield Step(
            send_sign,
            f"{self.sent.name} follows the signs of {self.synapse.name}",
            f"{self.sent.name} = {self.scale:.3g} sign({self.synapse.name})",
            {"weight": self.synapse.weight.line(), "sent": self.sent.line()},
            scalars={"scale": self.scale},
            over="synapse",
        )
        yield from super().deliver()


send_sign = Kernel(
    "send_sign",
    kind=Kind.SEND,
    reads={"weight": "synapse"},
    writes={"sent": "synapse"},
    scalars=("scale",),
    over="synapse",
    equation="sent = scale sign(weight)",
)


@send_sign.reference
def _(weight: Array, sent: Array, *, scale: float) -> None:
    """``S = scale sign(B)``, both ``(synapse,)``: what the sign rule sends down."""
    for s in range(len(weight)):
        sent[s] = scale * np.sign(weight[s])


@send_sign.cpu
def _(weight: Array, sent: Array, *, scale: float) -> None:
    signs(weight, sent)
    sent *= sent.dtype.type(scale)


@send_sign.gpu
def _(gpu: Gpu, weight: Array, sent: Array, *, scale: float) -> None:
    gpu.launch(sent.dtype, "send_sign", sent.size, weight, sent, float(scale))


register("""
KERNEL send_sign(const REAL *weight, REAL *sent, double scale, Index count)
{
    EACH(i) sent[i] = (REAL)scale * sign(weight[i]);
}
""")
