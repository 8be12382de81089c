"""Networks: populations and projections in order, made from a short text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from neurosim.core.step import Step
from neurosim.errors import ShapeError, WiringError
from neurosim.networks.presets.base import Preset
from neurosim.networks.text import FIRST, parse, parse_first, parse_head, shapes, whitened
from neurosim.parts.average import Average
from neurosim.parts.competition import Competition
from neurosim.parts.feedback import Feedback, SignFeedback, UpdatedFeedback
from neurosim.parts.head import Head, NonlinearHead
from neurosim.parts.interneurons import Interneurons
from neurosim.parts.inverse import Inverse
from neurosim.parts.mean_pool import AveragedPopulation
from neurosim.parts.population import Image, PooledPopulation, Population, Units
from neurosim.parts.projection import Bias, Constant, Projection
from neurosim.parts.retina import LearnedRetina, Retina
from neurosim.parts.synapse import Synapse
from neurosim.parts.transported import TransportedFeedback
from neurosim.parts.whitening import Whitening
from neurosim.plasticity.base import Plasticity
from neurosim.plasticity.bounded import Bounded
from neurosim.plasticity.predictive import Predictive
from neurosim.plasticity.signum import Signum

HEAD_UNITS = 64
PAIRS = 4  # moments of a batch, for a network that is made by hand
FEEDBACKS = ("bp", "rf", "urf", "sign")


class Network:
    """Populations 0 (the image) to L, with a forward projection between each and the next.

    Args:
        network: a text, a preset's name or a preset, see `neurosim.networks.text.parse`.
        image: (row, column, channel) of an image.
        pairs: moments in a batch; every array holds ``2 x pairs`` views, unless ``views`` is given.
        block: the gradient block: only view 2 learns.
        seed: of all initial weights; every array draws from a generator of its own.
        plasticity: shared by all synapses that learn.
        dtype: of activities and weights.
        head_units: D, units of every head.
        head_plasticity: of the heads and of the feedback from them; None: the same as of the others.
        views: rows of every array, all of which learn: patches instead of pairs.
        layer_plasticities: of layers 1 to L and of the feedback along each; None: ``plasticity`` for all.
        feedback_gain: multiplies the initial weights of feedback: the smaller, the sooner what it learns shows.

    Raises:
        WiringError: a text that cannot be read.
        ShapeError: a pool that the size of the image does not allow.
    """

    def __init__(
        self,
        network: str | Preset,
        image: tuple[int, int, int],
        pairs: int = PAIRS,
        *,
        block: bool = True,
        seed: int = 0,
        plasticity: Plasticity | None = None,
        dtype: DTypeLike = np.float32,
        head_units: int = HEAD_UNITS,
        head_plasticity: Plasticity | None = None,
        layer_plasticities: Sequence[Plasticity] | None = None,
        feedback_gain: float = 1.0,
        views: int | None = None,
    ) -> None:
        self.layers, self.pairs, self.block, self.seed = parse(network), pairs, block, seed
        self.first = parse_first(network)
        self.head_nonlinearity, self.head_bias, self.averages = self._head_text = parse_head(network)
        self.plasticity, self.dtype, self.head_units = plasticity or Signum(), np.dtype(dtype), head_units
        self.head_plasticity, self.feedback_gain = head_plasticity or self.plasticity, feedback_gain
        self.layer_plasticities = list(layer_plasticities or [self.plasticity] * len(self.layers))
        self.constant = Constant(self.dtype)
        learning = pairs if block and views is None else 0
        self.populations = self._populations(shapes(self.layers, image), views or 2 * pairs, learning)
        self.projections = [self._projection(number) for number in range(1, len(self.populations))]
        self._heads: dict[int, Projection] = {}

    def _populations(self, sizes: list[tuple[int, int, int]], views: int, learning: int) -> list[Units]:
        self.image = self._first_stage(sizes[0], views, learning)
        populations: list[Units] = [self.image]
        for number, (layer, size) in enumerate(zip(self.layers, sizes[1:], strict=True), 1):
            pools = AveragedPopulation if layer.averaged else PooledPopulation
            kind = pools if layer.pooled else Population
            populations.append(kind(number, size, views, learning, layer.nonlinearity, self.dtype))
        return populations

    def _first_stage(self, size: tuple[int, int, int], views: int, learning: int) -> Image:
        """The image population, behind the stage that the text names."""
        sees, field = (size, views, learning, self.dtype), whitened(self.first)
        if field is not None:
            return Whitening(field, *sees)
        if self.first == FIRST[1]:
            return LearnedRetina(Predictive, *sees)
        return (Retina if self.first else Image)(*sees)

    def _projection(self, number: int) -> Projection:
        """The forward projection to layer ``number``."""
        pre, post, layer = self.populations[number - 1], self.populations[number], self.layers[number - 1]
        places = pre.shape[:2] if layer.local else ()
        shape = (*places, layer.field, layer.field, pre.shape[2], post.shape[2])
        synapse = self._synapse("W", number, shape, "forward weight", True)
        projection = Projection(pre, post, synapse, self._bias(synapse) if layer.bias else None)
        if layer.centred:
            projection.interneurons = Interneurons(pre, post, synapse)
        return projection

    @property
    def synapses(self) -> list[Synapse]:
        """Of all forward projections, heads left out; before them that of a first stage that learns."""
        first = [self.image.synapse] if isinstance(self.image, LearnedRetina) else []
        return [*first, *(synapse for projection in self.projections for synapse in projection.synapses)]

    def __len__(self) -> int:
        """Layers, the image not counted."""
        return len(self.layers)

    def __str__(self) -> str:
        head = str(self._head_text)
        first = [self.first] if self.first else []
        return ", ".join([*first, *map(str, self.layers), *[head] * (head != "head")])

    def _synapse(self, letter: str, number: int, shape: Sequence[int], role: str, learns: bool) -> Synapse:
        # A generator of its own for each array: adding one never changes what another draws.
        seed = [self.seed, ord(letter), number]
        plasticity = self.head_plasticity if letter in "HF" else self.layer_plasticities[number - 1]
        gain = self.feedback_gain if letter in "BF" else 1.0
        return Synapse(f"{letter}{number}", shape, role, seed, plasticity if learns else None, self.dtype, gain)

    def _bias(self, synapse: Synapse) -> Bias:
        """A bias beside a weight array: as long as its postsynaptic units, its role and its plasticity."""
        seed = [self.seed, ord("b"), ord(synapse.name[0]), int(synapse.name[1:])]
        shape, role = (1, synapse.shape[-1]), synapse.weight.role
        bias = Synapse(f"b{synapse.name}", shape, role, seed, synapse.plasticity, self.dtype, fan_in=synapse.fan_in)
        return Bias(self.constant, bias)

    def learns(self, number: int) -> bool:
        """Whether layer ``number`` learns, at least where others do: its own rate is not 0."""
        return self.plasticity.base_rate == 0 or self.layer_plasticities[number - 1].base_rate > 0

    def upwards(self, top: int | None = None, start: int = 0) -> list[Projection]:
        """Forward projections from layer ``start``, 0 the image, up to layer ``top`` (the last if None)."""
        return self.projections[start:top]

    def head(self, number: int) -> Projection:
        """The projection from layer ``number`` to its head of D units; the same one at every call."""
        if number not in self._heads:
            pre = self._averaged(self.populations[number])
            sizes = number, self.head_units, pre.views, pre.learning, self.dtype
            linear = self.head_nonlinearity == "linear"
            post = Head(*sizes) if linear else NonlinearHead(*sizes, self.head_nonlinearity)
            synapse = self._synapse("H", number, (pre.size, self.head_units), "forward weight", True)
            self._heads[number] = Projection(pre, post, synapse, self._bias(synapse) if self.head_bias else None)
        return self._heads[number]

    def _averaged(self, units: Units) -> Units:
        """What a head reads of a layer: its units, or the means of 2 x 2 windows of them."""
        if not self.averages or units.shape[:2] == (1, 1):
            return units
        rows, columns, channels = units.shape
        if rows % 2 or columns % 2:
            raise ShapeError(
                f"head {units.number} averages {rows}x{columns}x{channels}",
                "even sizes, or a single place",
                "leave 'average' out of the network, or take images of another size",
                argument="network",
            )
        return Average(units)

    def feedback(self, projection: Projection, kind: str) -> Feedback:
        """Feedback along a forward projection: ``bp`` borrows its weights, the others own theirs.

        Raises:
            WiringError: an unknown kind.
        """
        if kind == "bp":
            return TransportedFeedback(projection)
        if kind not in FEEDBACKS:
            known = ", ".join(FEEDBACKS)
            raise WiringError(
                f"unknown feedback {kind!r}", f"one of {known}", "write feedback=urf", argument="feedback"
            )
        # B3 goes along W3, F3 along the head H3: arrays of their own, drawn independently of the forward ones.
        letter = {"W": "B", "H": "F"}[projection.synapse.name[0]]
        number = int(projection.synapse.name[1:])
        synapse = self._synapse(letter, number, projection.synapse.shape, "feedback weight", kind != "rf")
        kinds: dict[str, type[Feedback]] = {"rf": Feedback, "urf": UpdatedFeedback, "sign": SignFeedback}
        return kinds[kind](projection, synapse)

    def inverse(self, projection: Projection, plasticity: Plasticity) -> Inverse:
        """A learned way back along a forward projection, with weights and a bias of its own.

        Raises:
            ShapeError: sizes that no inverse can restore.
        """
        # G3 goes back along W3, Q3 along the head H3: arrays of their own, drawn independently of the forward ones.
        letter = {"W": "G", "H": "Q"}[projection.synapse.name[0]]
        number, below, above = int(projection.synapse.name[1:]), projection.pre.whole, projection.post
        shape = (3, 3, above.shape[-1], below.shape[-1]) if projection.convolution else (above.size, below.size)
        known = (below.shape[:2], (below.shape[0] / 2, below.shape[1] / 2))
        if projection.convolution and above.shape[:2] not in known:
            sizes = " to ".join("x".join(map(str, units.shape)) for units in (below, above))
            raise ShapeError(
                f"layer {number} goes from {sizes}",
                "the same rows and columns, or half of them, for an inverse",
                "take another network, or rule=ll",
                argument="network",
            )
        seed = [self.seed, ord(letter), number]
        synapse = Synapse(f"{letter}{number}", shape, "inverse weight", seed, plasticity, self.dtype)
        return Inverse(projection, synapse, self._bias(synapse))

    def competition(self, number: int, rate: float | None = None, **how: Any) -> Competition:
        """Competition among the units of a layer, whose synapse learns by a bounded plasticity from now on.

        Args:
            number: of the layer.
            rate: of its weights; None: that of the layer's own plasticity. Both count in the share that a unit wins if all
                win alike.
            **how: they compete, see `Competition`.

        Raises:
            WiringError: units that cannot compete, or a plasticity that makes nothing of winners.
        """
        projection, own = self.projections[number - 1], self.layer_plasticities[number - 1]
        competing = Competition(projection, **how)
        if rate is None and not isinstance(own, Bounded):
            raise WiringError(
                f"plasticity={own.name!r} for layer {number}, which learns by competition",
                f"plasticity={Bounded.name!r}, or a rate of its own",
                "leave plasticity out, or write win_rate=0.1",
                argument="plasticity",
            )
        learner = own if rate is None else Bounded(rate)
        learner = learner.with_rate(learner.base_rate * competing.fair, f"win rate {number}")
        for synapse in projection.synapses:
            synapse.learn_by(learner)
        return competing

    def propagate(self, top: int | None = None, start: int = 0) -> Iterator[Step]:
        """The steps from the activity of layer ``start``, 0 the image, to that of layer ``top``."""
        for projection in self.upwards(top, start):
            yield from projection.transmit()
            yield from projection.post.respond()
