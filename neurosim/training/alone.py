"""Rules by themselves: wired and shown pictures without a configuration, for whoever asks a rule and trains nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from neurosim import losses, plasticity, rules
from neurosim.data.views.affine import Affine
from neurosim.errors import WiringError
from neurosim.networks.network import Network
from neurosim.networks.text import parse, written
from neurosim.parts.synapse import Synapse
from neurosim.rules.base import Rule
from neurosim.training.assembly import Assembly, Shape


def wire(
    rule: Rule | type[Rule] | str,
    network: Any,
    image: Shape,
    pairs: int,
    loss: Any = "hinge",
    changes: Any = None,
    **options: Any,
) -> Rule:
    """A rule by itself, for whom no configuration is needed.

    Args:
        rule: a name, ``module:Class``, or a class; a rule that is wired already stays as it is.
        network: that it is wired into: as text, a preset's name, ``module:Class``, class or object, or a `Network`.
        image: (row, column, channel) of a picture, where the network is not made yet; larger where its pools ask for it.
        pairs: moments of a batch, where it is not.
        loss: by name, ``module:Class``, class or object.
        changes: the plasticity of its synapses, in any of these forms; None: the network's own.
        **options: of the rule's constructor.

    Raises:
        WiringError: what cannot be wired; a plasticity beside a network that has one already.
    """
    if isinstance(rule, Rule):
        return rule
    kind = None if changes is None else plasticity.make(changes)
    if not isinstance(network, Network):
        text = written(network)
        side = 2 ** sum(
            layer.pooled for layer in parse(text)
        )  # a preset may halve its pictures more often than a text here
        network = Network(text, (max(image[0], side), max(image[1], side), image[2]), pairs, plasticity=kind)
    elif kind is not None:
        raise WiringError(
            f"plasticity={plasticity.REGISTRY.name(changes)} beside a network that is made already",
            "one of the two",
            "make the network with it: Network(..., plasticity=...)",
        )
    return rules.make(rule, network, losses.make(loss), **options)


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


@contextmanager
def salted(salt: int, bounds: Mapping[str, float]) -> Iterator[None]:
    """Draw initial weights from other streams than the network's own, so that whatever was copied from them differs.

    Args:
        salt: 0: draw them as they are.
        bounds: name of a synapse -> its bound, wherever it is rescaled: what initial weights alone would decide.
    """
    init, rescale = Synapse.__init__, Synapse.rescale

    def drawn_otherwise(self: Synapse, *args: Any, **given: Any) -> None:
        init(self, *args, **given)
        if salt:
            rng = np.random.default_rng([salt, *self.name.encode()])
            self.weight.put(rng.uniform(-self.bound, self.bound, self.shape))

    def rescaled_alike(self: Synapse, gain: float) -> None:
        rescale(self, gain)
        self.bound = type(self.bound)(bounds.get(self.name, self.bound))

    Synapse.__init__, Synapse.rescale = drawn_otherwise, rescaled_alike  # type: ignore[method-assign]
    try:
        yield
    finally:
        Synapse.__init__, Synapse.rescale = init, rescale  # type: ignore[method-assign]
