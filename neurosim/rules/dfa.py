"""dfa: the error at the top goes straight to every layer, through fixed random weights of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.parts.feedback import Feedback
from neurosim.parts.projection import Projection
from neurosim.parts.synapse import Synapse
from neurosim.rules.base import Rule

if TYPE_CHECKING:
    from neurosim.losses.base import Loss
    from neurosim.networks.network import Network


class Direct(Feedback):
    """Straight from the error units to one layer, through fixed random weights of its own."""

    kind = "direct"


class DirectFeedback(Rule):
    """``delta_l = gate_l . (D_l^T e)``, e the error at the top, D_l random and never changed (Nøkland 2016)."""

    name = "dfa"
    summary = "end to end, the error straight to every layer by fixed random weights (direct feedback alignment)"

    def __init__(self, network: Network, loss: Loss):
        super().__init__(network, loss)
        self.phases = ("all layers",)
        top = len(network)
        self.head, self.error = network.head(top), self._attach(top)
        self.back = [self._path_to(number) for number in range(1, top + 1)]
        self.feedbacks += self.back

    def _path_to(self, number: int) -> Direct:
        """Connections from the head's error units down to one layer."""
        network = self.network
        layer, seed = network.populations[number], [network.seed, ord("D"), number]
        shape, gain = (layer.size, network.head_units), network.feedback_gain
        synapse = Synapse(f"D{number}", shape, Role.FEEDBACK_WEIGHT, seed, dtype=network.dtype, gain=gain)
        return Direct(Projection(layer, self.head.post, synapse), synapse)

    def wire(self, phase: str) -> Iterator[Step]:
        network, learners = self.network, [self.head, *reversed(self.network.projections)]
        yield from network.propagate()
        yield from self.head.transmit()
        yield from self.head.post.respond()
        yield from self.error.compare()
        yield from self.head.post.gate()
        yield from self.head.hebbian()
        for projection, back in zip(learners[1:], reversed(self.back), strict=True):
            yield from back.deliver()
            yield from projection.post.gate()
            yield from projection.hebbian()
        for projection in learners:
            yield from projection.apply_update()
        yield from self.error.apply_update()
