"""ll: layer-wise learning. Every layer has a head and an error of its own; nothing passes downwards between layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from neurosim.core.options import Option
from neurosim.core.step import Step
from neurosim.networks.network import FEEDBACKS
from neurosim.rules.base import Rule, random_phase

if TYPE_CHECKING:
    from neurosim.losses.base import Loss
    from neurosim.networks.network import Network
    from neurosim.parts.error_units import ErrorUnits

ORDERS = ("greedy", "random", "simultaneous")


class LayerWise(Rule):
    """``z_l = H_l x_l``, ``e_l = error(z_l)``, ``delta_l = gate_l . (F_l^T e_l)`` (Tang, Yang, Amit 2022).

    Args:
        network, loss: as for every rule.
        order: ``greedy`` (layer 1 for E epochs, then layer 2, ...), ``random`` (each batch trains one layer drawn at
            random, E x L epochs in all) or ``simultaneous`` (every layer on every batch, E epochs).
        feedback: what F_l is: ``bp`` (H_l itself), ``rf``, ``urf`` or ``sign``.

    Raises:
        WiringError: an unknown order or feedback.
    """

    name = "ll"
    summary = "layer-wise: every layer learns from a head and an error of its own"

    def __init__(
        self,
        network: Network,
        loss: Loss,
        order: Annotated[str, Option("When each layer learns.", choices=ORDERS)] = "simultaneous",
        feedback: Annotated[str, Option("From a head to its layer.", choices=FEEDBACKS)] = "urf",
    ):
        super().__init__(network, loss)
        self.order = order
        # A layer that stays as drawn needs no head, no error and, at the top, no activity.
        numbers = [n for n in range(1, len(network) + 1) if network.learns(n)]
        self.back = {n: self._feed(network.head(n), feedback) for n in numbers}
        for n in numbers:
            self._attach(n)
        self.phases = ("all layers",) if order == "simultaneous" else tuple(f"layer {n}" for n in numbers)

    def wire(self, phase: str) -> Iterator[Step]:
        taught = [int(phase.split()[1])] if phase != "all layers" else list(self.errors)
        below = 0
        for n in taught:  # layer by layer, so that what one layer needs can lie where the layer below had its own
            yield from self.network.propagate(n, below)
            yield from self._teach(n)
            below = n
        for n in taught:
            for part in (self.network.projections[n - 1], self.network.head(n), self.back[n], self.errors[n]):
                yield from part.apply_update()

    def _teach(self, n: int) -> Iterator[Step]:
        """Layer n and its head: activity, error, outer products."""
        head, back = self.network.head(n), self.back[n]
        yield from head.transmit()
        yield from head.post.respond()
        yield from self.errors[n].compare()
        yield from head.post.gate()
        yield from back.deliver()
        yield from self.network.populations[n].gate()
        yield from self.network.projections[n - 1].hebbian()
        yield from head.hebbian()
        yield from back.learn()

    def errors_of(self, phase: str) -> list[ErrorUnits]:
        return [self.errors[int(phase.split()[1])]] if phase != "all layers" else list(self.errors.values())

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
