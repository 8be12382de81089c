"""Rules by themselves: wired and shown pictures without a configuration, for whoever asks a rule and trains nothing."""

from __future__ import annotations

from typing import Any

from neurosim import losses, rules
from neurosim.data.views.affine import Affine
from neurosim.networks.network import Network
from neurosim.networks.text import written
from neurosim.rules.base import Rule
from neurosim.training.assembly import Assembly, Shape


def wire(
    rule: Rule | type[Rule] | str, network: str, image: Shape, pairs: int, loss: str = "hinge", **options: Any
) -> Rule:
    """A rule by itself, for whom no configuration is needed.

    Args:
        rule: a name, ``module:Class``, or a class; a rule that is wired already stays as it is.
        network: that it is wired into, as text.
        image: (row, column, channel) of a picture.
        pairs: moments of a batch.
        loss: by name.
        **options: of the rule's constructor.

    Raises:
        WiringError: what cannot be wired.
    """
    if isinstance(rule, Rule):
        return rule
    return rules.make(rule, Network(network, image, pairs), losses.make(loss), **options)


def shown(rule: Rule, deformed: bool = True) -> Assembly:
    """A wired rule and a stimulus whose views are deformed as published, or not at all.

    Args:
        rule: wired.
        deformed: whether they are.
    """
    return Assembly(rule, Affine() if deformed else None)


def narrow(network: str, channels: int = 6) -> str:
    """A network's text with few channels in every layer: no wiring depends on how many there are."""
    parts = [part.split() for part in written(network).split(",")]
    few = [[str(min(int(words[0]), channels)), *words[1:]] if words[0].isdecimal() else words for words in parts]
    return ", ".join(" ".join(words) for words in few)
