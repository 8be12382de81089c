"""End to end: one head at the top, its error delivered down through every layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from neurosim.core.step import Step
from neurosim.rules.base import Rule

if TYPE_CHECKING:
    from neurosim.losses.base import Loss
    from neurosim.networks.network import Network
    from neurosim.parts.error_units import ErrorUnits
    from neurosim.parts.feedback import Feedback
    from neurosim.parts.projection import Projection


class EndToEnd(Rule):
    """``delta_l = gate_l . (B_{l+1}^T delta_{l+1})``; the rules differ in what B is."""

    feedback = ""

    def __init__(self, network: Network, loss: Loss):
        super().__init__(network, loss)
        self.phases = ("all layers",)
        top = len(network)
        self.head, self.error = network.head(top), self._attach(top)
        # From the head down to layer 2: nothing is sent to the image.
        self.down = [self._feed(p, self.feedback) for p in (self.head, *reversed(network.projections[1:]))]

    def wire(self, phase: str) -> Iterator[Step]:
        network, learners = self.network, [self.head, *reversed(self.network.projections)]
        yield from network.propagate()
        yield from self.head.transmit()
        yield from self.head.post.respond()
        yield from self.error.compare()
        yield from self.head.post.gate()
        for projection, back in zip(learners, [*self.down, None], strict=True):
            yield from projection.hebbian()
            if back is not None:
                yield from back.learn()
                yield from back.deliver()
                yield from projection.pre.gate()
        learning: list[Projection | Feedback | ErrorUnits] = [*learners, *self.down, self.error]
        for part in learning:
            yield from part.apply_update()
