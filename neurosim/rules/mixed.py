"""A rule a layer: ``hebb,ll,ll``, bottom first. Each part of the plan is wired by its own rule."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from neurosim.core.options import Option, Parameter, parameters
from neurosim.core.plugins import misfit
from neurosim.core.step import Step
from neurosim.rules.layered import ORDERS, Layered

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.losses.base import Loss
    from neurosim.networks.network import Network
    from neurosim.parts.error_units import ErrorUnits
    from neurosim.plasticity.base import Plasticity

OWN = ("network", "loss", "layers")  # arguments that are no options of a user
ORDER = Annotated[str, Option("When each layer learns.", choices=ORDERS, short="")]
WIN_RATE = 0.1  # of layers that compete; the plasticity is that of the others


class Mixed(Layered):
    """Layers in order, each taught by a rule of its own that keeps to its layer.

    Args:
        network, loss: as for every rule.
        order: see `Layered`; greedy unless it is given.
        **options: of the rules; an option that several have is the same for all.

    Raises:
        WiringError: not one rule for each layer.
    """

    kinds: ClassVar[dict[str, type[Layered]]] = {}
    words: ClassVar[tuple[str, ...]] = ()

    def __init__(self, network: Network, loss: Loss, order: str = "greedy", **options: Any):
        if len(self.words) != len(network):
            raise misfit(
                f"rule={self.name!r} with {len(self.words)} rules for {len(network)} layers",
                "one rule for each layer, bottom first, with commas between; none for a layer that stays as drawn",
                "write rule='hebb,ll' for a network of two layers",
                argument="rule",
            )
        super().__init__(network, loss, order, [0, *(n for n, word in enumerate(self.words, 1) if word != "none")])
        options = {"win_rate": WIN_RATE, **options}
        own: dict[str, Layered] = {}
        for word, kind in self.kinds.items():
            known = parameters(kind)
            mine = {name: value for name, value in options.items() if name in known}
            numbers = [n for n, other in enumerate(self.words, 1) if other == word]
            own[word] = kind(network, loss, order=order, layers=numbers, **mine)
        self.parts = {n: own[self.words[n - 1]] for n in self.numbers}
        self.rules = list(own.values())
        self.errors = dict(sorted((n, units) for rule in self.rules for n, units in rule.errors.items()))
        self.feedbacks = [feedback for rule in self.rules for feedback in rule.feedbacks]

    def teach(self, number: int, read: bool) -> Iterator[Step]:
        yield from self.parts[number].teach(number, read)

    def apply_updates(self, number: int) -> Iterator[Step]:
        yield from self.parts[number].apply_updates(number)

    def errors_of(self, phase: str) -> list[ErrorUnits]:
        return [self.errors[n] for n in self.taught(phase) if n in self.errors]

    def outputs_of(self, number: int) -> list[Buffer]:
        return self.parts[number].outputs_of(number)

    def figures(self) -> dict[str, Buffer]:
        return {name: buffer for rule in self.rules for name, buffer in rule.figures().items()}

    def plasticities(self) -> list[Plasticity]:
        found = [*super().plasticities(), *(each for rule in self.rules for each in rule.plasticities())]
        return list({id(each): each for each in found}.values())

    def wiring(self) -> list[str]:
        return [line for rule in self.rules for line in rule.wiring()]


@cache
def mixed(text: str) -> type[Mixed]:
    """The class of a rule a layer.

    Args:
        text: names of rules with commas between, bottom first.

    Raises:
        WiringError: a rule that does not keep to its layer, or an unknown one.
    """
    from neurosim.rules import REGISTRY

    words = tuple(word.strip() for word in text.split(","))
    kinds: dict[str, type[Layered]] = {}
    for word in dict.fromkeys(words):
        kind = REGISTRY.find(word)
        if word == "none":
            continue
        if not (inspect.isclass(kind) and issubclass(kind, Layered)):
            known = ", ".join(
                sorted(name for name, found in REGISTRY.available().items() if issubclass(found, Layered))
            )
            raise misfit(
                f"{word!r} as the rule of a layer in rule={text!r}",
                f"rules that keep to their layer: {known}, none",
                f"write rule={word!r} for all layers",
                argument="rule",
            )
        kinds[word] = kind
    if not kinds:
        raise misfit(f"rule={text!r}", "a rule that teaches a layer", "write rule='none'", argument="rule")
    name = ",".join(words)
    made = type("Mixed", (Mixed,), {"name": name, "summary": "a rule a layer", "kinds": kinds, "words": words})
    made.__signature__ = _signature(kinds.values())  # type: ignore[attr-defined]
    return made


def _signature(kinds: Any) -> inspect.Signature:
    """The options of all rules together, as one constructor would declare them."""
    found: dict[str, Parameter] = {name: each for kind in kinds for name, each in parameters(kind, OWN).items()}
    keyword = inspect.Parameter.KEYWORD_ONLY
    given = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in OWN[:2]]
    given.append(inspect.Parameter("order", keyword, default="greedy", annotation=ORDER))
    for name, each in found.items():
        if name != "order":
            kind: Any = each.type | None if each.optional else each.type
            default = WIN_RATE if name == "win_rate" else each.default
            given.append(inspect.Parameter(name, keyword, default=default, annotation=Annotated[kind, each.option]))
    return inspect.Signature(given)
