"""A rule, its network and the network's stimulus, put together in this one place: whatever shows or runs plans starts here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import DTypeLike

from neurosim import losses, rules
from neurosim import plasticity as plasticities
from neurosim.core.backend import Backend
from neurosim.core.options import parameters
from neurosim.core.plan import Plan
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.data.views import REGISTRY as DEFORMATIONS
from neurosim.data.views.base import Deformation
from neurosim.data.views.framing import Framing
from neurosim.errors import ShapeError, WiringError
from neurosim.networks.network import Network
from neurosim.networks.text import parse
from neurosim.parts.stimulus import Deforms, Stimulus
from neurosim.plasticity.base import Plasticity
from neurosim.readout.features import Encoder
from neurosim.readout.floor import Method
from neurosim.rules.base import Rule
from neurosim.training.config import Config

Shape = tuple[int, int, int]  # row, column, channel
Given = Mapping[str, object]  # parts that were given from Python, by kind
NOTHING: Given = {}
CENTRED: Mapping[str, float] = {"gain": 2.0, "offset": -1.0}  # of pixels, 0..1: they come to -1..1


class Assembly:
    """A rule that is wired into a network, and the stimulus of that network.

    Args:
        rule: wired; its network comes with it.
        deformation: of the two views of a picture; None: they are shown as they are.
        **scales: gain and offset of the pixels, see `neurosim.parts.stimulus.Stimulus`; its own centre them.
    """

    def __init__(self, rule: Rule, deformation: Deforms | None = None, **scales: float):
        self.rule, self.network = rule, rule.network
        self.stimulus = Stimulus(self.network.image, deformation, **scales)

    def plan(self, phase: str) -> Plan:
        """The whole plan of a phase: stimulus, forward, error, plasticity."""
        return Plan(phase, [*self.stimulus.present(), *self.rule.wire(phase)], self.rule.outputs(phase))

    def propagation(self, heads: Iterable[int] = ()) -> Plan:
        """The plan that only propagates: to the activity of every layer, or to that of some heads.

        Args:
            heads: numbers of their layers; none: every layer is looked at.
        """
        read = [self.network.head(number) for number in heads]
        top = max((head.pre.number for head in read), default=None)
        steps: list[Step] = [*self.stimulus.present(), *self.network.propagate(top)]
        for head in read:
            steps += [*head.transmit(), *head.post.respond()]
        seen = [head.post for head in read] or self.network.populations[1:]
        return Plan("propagation", steps, [units.activity for units in seen])


def make_rule(config: Config, network: Network, given: Given = NOTHING) -> Rule:
    """The rule of a configuration, wired into a network; options that do not belong together are refused.

    Args:
        config: of a run.
        network: that it is wired into.
        given: parts that were given from Python, see `build`.

    Raises:
        WiringError: a rule, loss or option that does not exist, or does not belong.
    """
    rule = given.get("rule", config.rule.name)
    if isinstance(rule, Rule):
        return rule
    kind = given.get("loss", config.loss.name)
    wanted = dict(config.loss.options)
    if "grid" in parameters(losses.find(kind)):
        wanted["grid"] = config.views.grid  # of the crop, not of a user
    loss = losses.make(kind, **wanted)
    if loss.patches != (config.views.patch is not None):
        raise WiringError(
            f"loss {config.loss.name} {'with' if config.views.patch else 'without'} patches",
            "patches for clapp and gaze, and for no other loss",
            "make the configuration by Config.resolve",
        )
    return rules.make(rule, network, loss, **config.rule.options)


def make_framing(config: Config) -> Framing:
    """Which part of every picture a configuration shows."""
    return Framing(config.views.crop, config.views.patch, config.views.grey)


def make_scales(config: Config) -> dict[str, float]:
    """Gain and offset of the pixels, see `neurosim.parts.stimulus.Stimulus`."""
    return {"gain": 1.0, "offset": 0.0} if config.views.pixels == "unit" else dict(CENTRED)


def make_deformation(config: Config, given: Given = NOTHING) -> Deformation:
    """How the views of a configuration are deformed, as strongly as its data ask for.

    Args:
        config: of a run.
        given: parts that were given from Python, see `build`.
    """
    kind = given.get("deformation", config.views.deformation)
    return DEFORMATIONS.make(kind, **({} if isinstance(kind, Deformation) else config.views.options))


def make_dtype(config: Config) -> type[np.floating]:
    """The type of activities and weights."""
    return np.float64 if config.training.precision == "float64" else np.float32


def make_method(config: Config) -> Method:
    """How the features of a configuration are read out."""
    labels = config.readout.labels
    seen = None if labels is None else tuple(map(int, labels))
    return Method(config.readout.name, config.readout.images, config.training.seed, seen)


def make_network(config: Config, image: Shape, given: Given = NOTHING) -> Network:
    """The network of a configuration, for pictures of a shape.

    Args:
        config: of a run.
        image: (row, column, channel) of a picture.
        given: parts that were given from Python, see `build`.

    Raises:
        DataError, ShapeError: pictures that cannot be cut or pooled as asked.
        WiringError: not one rate for each layer.
    """
    framing = make_framing(config)
    shape = framing.shape(image)
    network = given.get("network")
    if isinstance(network, Network):
        return _fitting(network, shape)
    views = config.training.batch * framing.views(image[0]) if config.views.single else None
    layers, gains = len(parse(config.network.text)), config.plasticity.layer_rates
    if gains is not None and len(gains) != layers:
        raise WiringError(
            f"layer_rates with {len(gains)} numbers",
            f"one for each of the {layers} layers",
            "write them bottom first, with commas, or leave layer_rates out",
            argument="layer_rates",
        )
    return Network(
        config.network.text,
        shape,
        config.training.batch,
        block=config.rule.block,
        seed=config.training.seed,
        plasticity=make_plasticity(config, 1.0, "rate", given),
        head_plasticity=make_plasticity(config, config.plasticity.head_rate, "head rate", given),
        layer_plasticities=[make_plasticity(config, gain, f"rate {n}", given) for n, gain in enumerate(gains or (), 1)],
        feedback_gain=config.rule.feedback_gain,
        views=views,
        dtype=make_dtype(config),
    )


def make_plasticity(config: Config, gain: float, name: str, given: Given = NOTHING) -> Plasticity:
    """The plasticity of some synapses.

    Args:
        config: of a run.
        gain: multiplies its rate.
        name: of the rate.
        given: parts that were given from Python, see `build`.
    """
    kind = given.get("plasticity", config.plasticity.name)
    if isinstance(kind, Plasticity):
        return kind.with_rate(config.plasticity.rate * gain, name)
    return plasticities.make(kind, rate=config.plasticity.rate * gain, name=name, **config.plasticity.options)


def _fitting(network: Network, shape: Shape) -> Network:
    """A network that is there already, if it takes pictures of a shape.

    Raises:
        ShapeError: it does not.
    """
    own = network.image.shown.shape[1:]
    if own != shape:
        actual, expected = ("x".join(map(str, each)) for each in (own, shape))
        raise ShapeError(
            f"a network for images of {actual}", f"{expected}, as the data are", f"make it with image={shape}"
        )
    return network


def build(config: Config, image: Shape, given: Given = NOTHING) -> Assembly:
    """What a configuration asks for, wired.

    Args:
        config: of a run.
        image: (row, column, channel) of a picture.
        given: parts that were given from Python, by kind (``rule``, ``loss``, ``plasticity``, ``network``, ``deformation``,
            ``data``): a class, a factory or an object; all others are found by the names in ``config``. A wired rule comes
            with its network and its loss.

    Raises:
        WiringError, DataError, ShapeError: whatever cannot be wired, in one line.
    """
    wired = given.get("rule")
    if isinstance(wired, Rule):
        given = {**given, "network": wired.network}
    rule = make_rule(config, make_network(config, image, given), given)
    if config.views.kind == "still" and rule.errors:
        raise WiringError(
            f"views='still' with rule={config.rule.name!r}, which compares two views",
            "two views of every picture",
            "leave views out, or take rule='hebb'",
            argument="views",
        )
    deformation = make_deformation(config, given) if config.views.kind == "deform" else None
    return Assembly(rule, deformation, **make_scales(config))


def make_encoder(
    text: str,
    image: Shape,
    weights: Mapping[str, Array] | None = None,
    *,
    seed: int = 0,
    dtype: DTypeLike = np.float32,
    views: int = 128,
    framing: Framing | None = None,
    kernels: Backend | None = None,
    scales: Mapping[str, float] = CENTRED,
) -> Encoder:
    """A network that only encodes.

    Args:
        text: of the network.
        image: (row, column, channel) of a picture.
        weights: ``W1`` ... ``WL``, ``bW1`` ... -> array, see `neurosim.readout.features.forward_weights`; None: the
            untrained ones of the seed (the floor).
        seed: of the initial weights.
        dtype: of activities and weights.
        views: views at a time, at least.
        framing: which part of a picture is shown.
        kernels: of the device; None: the CPU's.
        scales: gain and offset of the pixels.
    """
    framing = framing or Framing()
    patches = framing.views(image[0])
    rows = max(1, views // patches) * patches
    network = Network(text, framing.shape(image), 1, seed=seed, dtype=dtype, views=rows)
    for synapse in network.synapses:
        if weights is not None:
            synapse.weight.put(weights[synapse.name])
    stimulus = Stimulus(network.image, gain=scales["gain"], offset=scales["offset"])
    return Encoder(network, stimulus, framing, patches, kernels or Backend("cpu"))


def check_wiring(config: Config, given: Given = NOTHING) -> None:
    """Refuse what cannot be wired whatever the pictures are, before any are read.

    Raises:
        WiringError, ShapeError: as `build`.
    """
    if not {"rule", "network"} & {kind for kind, thing in given.items() if isinstance(thing, Rule | Network)}:
        build(config, smallest(config), given)


def smallest(config: Config) -> Shape:
    """The smallest picture that the network's pools allow, 8 x 8 x 3 or more; where pictures are cropped, one of that size."""
    side = config.views.crop or max(8, 2 ** sum(layer.pooled for layer in parse(config.network.text)))
    return side, side, 3
