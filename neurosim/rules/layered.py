"""Layer by layer: rules in which every layer learns from what it has itself; nothing passes downwards between layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from neurosim.core.step import Step
from neurosim.rules.base import Rule, random_phase

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.losses.base import Loss
    from neurosim.networks.network import Network
    from neurosim.plasticity.base import Plasticity

ORDERS = ("greedy", "random", "simultaneous")


class Layered(Rule):
    """The order of the layers; derived rules say how one layer learns.

    Args:
        network, loss: as for every rule.
        order: ``greedy`` (layer 1 for E epochs, then layer 2, ...), ``random`` (each batch trains one layer drawn at
            random, E x L epochs in all) or ``simultaneous`` (every layer on every batch, E epochs).
        layers: numbers of those that it teaches; None: all. One whose rate is 0 stays as drawn. 0 is the first stage, where
            the network has one that learns.
    """

    def __init__(self, network: Network, loss: Loss, order: str, layers: Sequence[int] | None = None):
        super().__init__(network, loss)
        self.order = order
        numbers = range(len(network) + 1) if layers is None else layers
        self.numbers = [n for n in numbers if n and network.learns(n)]
        self.first = network.image.learns and 0 in numbers
        each = tuple(f"layer {n}" for n in [*[0] * self.first, *self.numbers])
        self.phases = ("all layers",) if order == "simultaneous" else each

    def teach(self, number: int, read: bool) -> Iterator[Step]:
        """The steps of one layer: from the activity below to its own, and what its weights change by.

        Args:
            number: of the layer.
            read: whether a layer above reads its activity.
        """
        raise NotImplementedError

    def apply_updates(self, number: int) -> Iterator[Step]:
        """The lasting changes of one layer."""
        raise NotImplementedError

    def outputs_of(self, number: int) -> list[Buffer]:
        """What of one layer is looked at after a batch."""
        return [self.errors[number].value] if number in self.errors else []

    def outputs(self, phase: str) -> list[Buffer]:
        return [buffer for n in self.taught(phase) for buffer in self.outputs_of(n)]

    def taught(self, phase: str) -> list[int]:
        """The layers that learn in a phase, the first stage left out."""
        return [n for n in self.numbers if phase in ("all layers", f"layer {n}")]

    def wire(self, phase: str) -> Iterator[Step]:
        taught, first = self.taught(phase), self.first and phase in ("all layers", "layer 0")
        below = 0
        if first:
            yield from self.network.image.learn()
        for n in taught:  # layer by layer, so that what one layer needs can lie where the layer below had its own
            yield from self.network.propagate(n - 1, below)
            yield from self.teach(n, n < taught[-1])
            below = n
        for n in taught:
            yield from self.apply_updates(n)
        if first:
            yield from self.network.image.apply_update()

    def plasticities(self) -> list[Plasticity]:
        own = [s.plasticity for s in self.network.synapses[: self.first]]
        return [*super().plasticities(), *(each for each in own if each is not None)]

    def epochs(self, asked: int) -> int:
        return asked * len(self.phases)

    def phase(self, epoch: int, batch: int, asked: int) -> str:
        if self.order == "random":
            return self.phases[random_phase(self.network.seed, epoch, batch, len(self.phases))]
        return self.phases[epoch // asked]

    def progress(self, epoch: int, part: float, asked: int) -> float:
        if self.order == "greedy":
            return (epoch % asked + part) / asked
        return super().progress(epoch, part, asked)
