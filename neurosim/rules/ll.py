"""ll: layer-wise learning. Every layer has a head and an error of its own; nothing passes downwards between layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

from neurosim.core.options import Option
from neurosim.core.step import Step
from neurosim.networks.network import FEEDBACKS
from neurosim.rules.layered import ORDERS, Layered

if TYPE_CHECKING:
    from neurosim.losses.base import Loss
    from neurosim.networks.network import Network
    from neurosim.parts.error_units import ErrorUnits


class LayerWise(Layered):
    """``z_l = H_l x_l``, ``e_l = error(z_l)``, ``delta_l = gate_l . (F_l^T e_l)`` (Tang, Yang, Amit 2022).

    Args:
        network, loss: as for every rule.
        order: ``greedy`` (layer 1 for E epochs, then layer 2, ...), ``random`` (each batch trains one layer drawn at
            random, E x L epochs in all) or ``simultaneous`` (every layer on every batch, E epochs).
        feedback: what F_l is: ``bp`` (H_l itself), ``rf``, ``urf`` or ``sign``.
        layers: see `Layered`.

    Raises:
        WiringError: an unknown order or feedback.
    """

    name = "ll"
    summary = "layer-wise: every layer learns from a head and an error of its own"

    def __init__(
        self,
        network: Network,
        loss: Loss,
        order: Annotated[str, Option("When each layer learns.", choices=ORDERS, short="")] = "simultaneous",
        feedback: Annotated[str, Option("From a head to its layer.", choices=FEEDBACKS, short="")] = "urf",
        layers: Annotated[Sequence[int] | None, Option("Those that it teaches.", derived=True)] = None,
    ):
        super().__init__(network, loss, order, layers)
        # A layer that stays as drawn needs no head, no error and, at the top, no activity.
        self.back = {n: self._feed(network.head(n), feedback) for n in self.numbers}
        for n in self.numbers:
            self._attach(n)

    def teach(self, number: int, read: bool) -> Iterator[Step]:
        head, back = self.network.head(number), self.back[number]
        yield from self.network.propagate(number, number - 1)
        yield from head.transmit()
        yield from head.post.respond()
        yield from self.errors[number].compare()
        yield from head.post.gate()
        yield from back.deliver()
        yield from self.network.populations[number].gate()
        yield from self.network.projections[number - 1].hebbian()
        yield from head.hebbian()
        yield from back.learn()

    def apply_updates(self, number: int) -> Iterator[Step]:
        projection, head = self.network.projections[number - 1], self.network.head(number)
        for part in (projection, head, self.back[number], self.errors[number]):
            yield from part.apply_update()

    def errors_of(self, phase: str) -> list[ErrorUnits]:
        return [self.errors[n] for n in self.taught(phase)]
