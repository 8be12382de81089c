"""hebb: competition. Every layer learns from its own winners; there is no error, no head and no feedback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

from neurosim.core.options import Option
from neurosim.core.step import Step
from neurosim.parts.competition import KINDS, Competition
from neurosim.rules.layered import ORDERS, Layered

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.losses.base import Loss
    from neurosim.networks.network import Network
    from neurosim.plasticity.base import Plasticity


class Hebb(Layered):
    """``u = W * x``; the units of a place compete; ``dw = rate y (x - w)`` for the winners.

    The change is an outer product of stored activities, ``y x``, and a decay by the unit's own activity, ``y w``: weights
    stay bounded without a division (`neurosim.plasticity.bounded`). See `neurosim.parts.competition` for the kinds.

    Args:
        network, loss: as for every rule; nothing is compared, so that the loss does not matter.
        order: see `Layered`.
        competition: ``winner``, ``direction``, ``oja`` or ``softhebb`` (which divides, and is a reference).
        winners: so many units of a place.
        homeostasis: how fast thresholds follow.
        length: winner: weights go to so many times the mean of what they won; direction, oja: the length that they grow to.
        win_rate: of these layers, where the plasticity of the others is no competition's.
        layers: see `Layered`.

    Raises:
        WiringError: a plasticity that cannot learn from winners; layers in which nothing can compete.
    """

    name = "hebb"
    summary = "competition: every layer learns from its own winners, without any error"

    def __init__(
        self,
        network: Network,
        loss: Loss,
        order: Annotated[str, Option("When each layer learns.", choices=ORDERS, short="")] = "greedy",
        competition: Annotated[
            str,
            Option(
                "How units compete: winner, direction, oja, softhebb (a reference: it divides).",
                choices=KINDS,
                short="",
            ),
        ] = "winner",
        winners: Annotated[int, Option("Winners at every place.", unit="units", low=1)] = 1,
        homeostasis: Annotated[float, Option("How fast thresholds keep all units in play.", low=0)] = 0.02,
        length: Annotated[
            float,
            Option("Of a unit's weights (direction, oja), or of them by the mean of what it won (winner).", above=0),
        ] = 1.0,
        win_rate: Annotated[
            float | None, Option("Of layers that compete, beside layers with another plasticity.", above=0)
        ] = None,
        layers: Annotated[Sequence[int] | None, Option("Those that it teaches.", derived=True)] = None,
    ):
        super().__init__(network, loss, order, layers)
        how = {"kind": competition, "winners": winners, "homeostasis": homeostasis, "length": length}
        self.places: dict[int, Competition] = {n: network.competition(n, win_rate, **how) for n in self.numbers}

    def teach(self, number: int, read: bool) -> Iterator[Step]:
        projection, competing = self.network.projections[number - 1], self.places[number]
        yield from projection.transmit()
        yield from competing.compete()
        yield from competing.hebbian()
        if read:
            yield from projection.post.respond()

    def apply_updates(self, number: int) -> Iterator[Step]:
        yield from self.places[number].apply_update()

    def plasticities(self) -> list[Plasticity]:
        own = [self.network.projections[n - 1].synapse.plasticity for n in self.numbers]
        return [*super().plasticities(), *(each for each in own if each is not None)]

    def outputs_of(self, number: int) -> list[Buffer]:
        return [self.places[number].silent]

    def figures(self) -> dict[str, Buffer]:
        return {f"silent_{n}": competing.silent for n, competing in self.places.items()}

    def wiring(self) -> list[str]:
        return [f"W{n}: {c.kind}, {c.winners} of {c.units} units a place" for n, c in self.places.items()]
