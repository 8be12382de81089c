"""Networks: populations and projections in order, made from a short text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neurosim.core.step import Step
from neurosim.errors import ShapeError, WiringError
from neurosim.parts.average import Average
from neurosim.parts.feedback import Feedback, SignFeedback, UpdatedFeedback
from neurosim.parts.inverse import Inverse
from neurosim.parts.population import NONLINEARITIES, Head, Image, NonlinearHead, PooledPopulation, Population, Units
from neurosim.parts.projection import Bias, Constant, Projection
from neurosim.parts.synapse import Synapse
from neurosim.parts.transported import TransportedFeedback
from neurosim.plasticity.base import Plasticity
from neurosim.plasticity.signum import Signum

PRESETS = {
    "conv5": "32 hardtanh, 32 pool, 64 hardtanh, 64 pool, 512 pool",
    "conv4-tanh": "32 bias tanh pool, 64 bias tanh pool, 128 bias tanh pool, 256 bias tanh pool, head bias tanh",
    "vgg6": "128 hardtanh, 256 hardtanh pool, 256 hardtanh, 512 hardtanh pool, 1024 hardtanh pool, 1024 hardtanh pool, "
            "head average",
    "small": "32 pool, 64 pool, 128 pool, 256 pool",
}
HEAD_UNITS = 64
FLAGS = ("pool", "bias", "local")  # words of a layer
FEEDBACKS = ("bp", "rf", "urf", "sign")


@dataclass(frozen=True)
class Layer:
    """One layer of a text network: a 3 x 3 convolution, perhaps a bias, perhaps a 2 x 2 pool, then a nonlinearity.

    A ``local`` layer is untied: the same connections, but every place has weights of its own (Amit 2019).
    """

    channels: int
    nonlinearity: str
    pooled: bool
    bias: bool = False
    local: bool = False

    def __str__(self):
        words = [str(self.channels), *["local"] * self.local, *["bias"] * self.bias]
        if self.nonlinearity != "linear" or not self.pooled:
            words.append(self.nonlinearity)
        return " ".join([*words, "pool"] if self.pooled else words)


def parse(text: str) -> tuple[Layer, ...]:
    """Read a preset's name or ``"32 hardtanh, 32 pool, 512 hardtanh pool"``.

    A layer is its number of channels and then words: ``hardtanh``, ``tanh`` or ``linear``, ``bias``, ``local`` and
    ``pool``. A pooled layer without a nonlinearity is linear. Pooling comes first: for a nonlinearity that never falls
    that is the same. The last part may tell of the heads, see `parse_head`.

    Raises:
        WiringError: a text that is none of these.
    """
    layers = []
    for number, part in enumerate(_parts(text)[0], 1):
        words = part.split()
        names = [word for word in words[1:] if word not in FLAGS]
        known = words and words[0].isdecimal() and int(words[0]) > 0 and len(names) <= 1
        known = known and max(map(words.count, FLAGS)) <= 1 and (names or "pool" in words)
        if not known or any(name not in NONLINEARITIES for name in names):
            raise WiringError(
                f"layer {number} of the network {text!r} reads {part.strip()!r}",
                f"a preset ({', '.join(PRESETS)}) or layers like '32 hardtanh' and '64 pool', with commas between",
                'write --network "32 hardtanh, 64 pool"',
            )
        layers.append(Layer(int(words[0]), names[0] if names else "linear", "pool" in words, "bias" in words, "local" in words))
    return tuple(layers)


def parse_head(text: str) -> tuple[str, bool]:
    """Nonlinearity and bias of every head: ``linear`` without bias unless the text ends like ``", head bias tanh"``.

    Raises:
        WiringError: other words after ``head``.
    """
    words = (_parts(text)[1] or "head").split()[1:]
    names = [word for word in words if word not in ("average", "bias")]
    if len(names) > 1 or any(name not in NONLINEARITIES for name in names) or max(map(words.count, ("average", "bias"))) > 1:
        raise WiringError(f"the head of the network {text!r} reads {' '.join(['head', *words])!r}",
                          "head, then bias, average, then hardtanh, tanh or linear, each once at most",
                          "write it last: --network \"32 tanh pool, head bias tanh\"")  # fmt: skip
    return names[0] if names else "linear", "bias" in words


def averages(text: str) -> bool:
    """Whether every head reads the means of 2 x 2 windows: the text ends like ``", head average"``."""
    return "average" in (_parts(text)[1] or "").split()


def _parts(text: str) -> tuple[list[str], str | None]:
    """The layers' parts of a text, and the head's."""
    parts = PRESETS.get(text, text).split(",")
    return (parts[:-1], parts[-1]) if len(parts) > 1 and parts[-1].split()[:1] == ["head"] else (parts, None)


def shapes(layers: tuple[Layer, ...], image: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """(row, column, channel) of the image and of every layer's activity.

    Raises:
        ShapeError: a pool that the size does not allow, with the sizes layer by layer.
    """
    sizes = [tuple(image)]
    for number, layer in enumerate(layers, 1):
        rows, columns, _ = sizes[-1]
        if layer.pooled and (rows % 2 or columns % 2):
            told = ", ".join(f"layer {i}: {r}x{c}x{k}" if i else f"image: {r}x{c}x{k}" for i, (r, c, k) in enumerate(sizes))
            raise ShapeError(f"layer {number} pools {rows}x{columns} ({told})", "even sizes before every 2 x 2 pool",
                             "take pools out of --network, or images of another size")  # fmt: skip
        half = 2 if layer.pooled else 1
        sizes.append((rows // half, columns // half, layer.channels))
    return sizes


class Network:
    """Populations 0 (the image) to L, with a forward projection between each and the next.

    Args:
        text: a preset or a text, see `parse`.
        image: (row, column, channel) of an image.
        pairs: moments in a batch; every array holds ``2 x pairs`` views, unless ``views`` tells otherwise.
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
        WiringError, ShapeError: as `parse` and `shapes`.
    """

    def __init__(self, text, image, pairs, *, block=True, seed=0, plasticity=None, dtype=np.float32, head_units=HEAD_UNITS,
                 head_plasticity=None, layer_plasticities=None, feedback_gain=1.0, views=None):  # fmt: skip
        self.layers, self.pairs, self.block, self.seed = parse(text), pairs, block, seed
        (self.head_nonlinearity, self.head_bias), self.averages = parse_head(text), averages(text)
        self.plasticity, self.dtype, self.head_units = plasticity or Signum(), np.dtype(dtype), head_units
        self.head_plasticity, self.feedback_gain = head_plasticity or self.plasticity, feedback_gain
        self.layer_plasticities = list(layer_plasticities or [self.plasticity] * len(self.layers))
        sizes = shapes(self.layers, image)
        learning = pairs if block and views is None else 0
        views = views or 2 * pairs
        self.populations: list[Units] = [Image(sizes[0], views, learning, dtype)]
        for number, (layer, size) in enumerate(zip(self.layers, sizes[1:], strict=True), 1):
            kind = PooledPopulation if layer.pooled else Population
            self.populations.append(kind(number, size, views, learning, layer.nonlinearity, dtype))
        self.constant = Constant(dtype)
        self.projections = []
        for number, (pre, post) in enumerate(zip(self.populations, self.populations[1:], strict=False), 1):
            places = pre.shape[:2] if self.layers[number - 1].local else ()
            shape = (*places, 3, 3, pre.shape[2], post.shape[2])
            synapse = self._synapse("W", number, shape, "forward weight", True)
            bias = self._bias(synapse) if self.layers[number - 1].bias else None
            self.projections.append(Projection(pre, post, synapse, bias))
        self._heads: dict[int, Projection] = {}

    def __len__(self) -> int:
        """Layers, the image not counted."""
        return len(self.layers)

    def __str__(self):
        head = ["head", *["average"] * self.averages, *["bias"] * self.head_bias]
        head += [self.head_nonlinearity] * (self.head_nonlinearity != "linear")
        return ", ".join([*map(str, self.layers), *[" ".join(head)] * (len(head) > 1)])

    def _synapse(self, letter: str, number: int, shape, role: str, learns: bool) -> Synapse:
        # A generator of its own for each array: adding one never changes what another draws.
        seed = [self.seed, ord(letter), number]
        plasticity = self.head_plasticity if letter in "HF" else self.layer_plasticities[number - 1]
        gain = self.feedback_gain if letter in "BF" else 1.0
        return Synapse(f"{letter}{number}", shape, role, seed, plasticity if learns else None, self.dtype, gain)

    def _bias(self, synapse: Synapse) -> Bias:
        """A bias beside a weight array: as long as its postsynaptic units, its role and its plasticity."""
        seed = [self.seed, ord("b"), ord(synapse.name[0]), int(synapse.name[1:])]
        return Bias(self.constant, Synapse(f"b{synapse.name}", (1, synapse.shape[-1]), synapse.weight.role, seed,
                                           synapse.plasticity, self.dtype, fan_in=synapse.fan_in))  # fmt: skip

    def learns(self, number: int) -> bool:
        """Whether layer ``number`` learns, at least where others do: its own rate is not 0."""
        return self.plasticity.base_rate == 0 or self.layer_plasticities[number - 1].base_rate > 0

    def upwards(self, top: int | None = None, start: int = 0) -> list[Projection]:
        """Forward projections from layer ``start``, 0 the image, up to layer ``top`` (the last if None)."""
        return self.projections[start:top]

    def head(self, number: int) -> Projection:
        """The projection from layer ``number`` to its head of D units; the same one at every call."""
        if number not in self._heads:
            pre = self.populations[number]
            if self.averages and pre.shape[:2] != (1, 1):
                rows, columns, channels = pre.shape
                if rows % 2 or columns % 2:
                    raise ShapeError(f"head {number} averages {rows}x{columns}x{channels}", "even sizes, or a single place",
                                     "leave 'average' out of --network, or take images of another size")  # fmt: skip
                pre = Average(pre)
            sizes = number, self.head_units, pre.views, pre.learning, self.dtype
            linear = self.head_nonlinearity == "linear"
            post = Head(*sizes) if linear else NonlinearHead(*sizes, self.head_nonlinearity)
            synapse = self._synapse("H", number, (pre.size, self.head_units), "forward weight", True)
            self._heads[number] = Projection(pre, post, synapse, self._bias(synapse) if self.head_bias else None)
        return self._heads[number]

    def feedback(self, projection: Projection, kind: str) -> Feedback:
        """Feedback along a forward projection: ``bp`` borrows its weights, the others own theirs.

        Raises:
            WiringError: an unknown kind.
        """
        if kind == "bp":
            return TransportedFeedback(projection)
        if kind not in FEEDBACKS:
            raise WiringError(f"unknown feedback {kind!r}", "one of " + ", ".join(FEEDBACKS), "write --feedback urf")
        # B3 goes along W3, F3 along the head H3: arrays of their own, drawn independently of the forward ones.
        letter = {"W": "B", "H": "F"}[projection.synapse.name[0]]
        number = int(projection.synapse.name[1:])
        synapse = self._synapse(letter, number, projection.synapse.shape, "feedback weight", kind != "rf")
        return {"rf": Feedback, "urf": UpdatedFeedback, "sign": SignFeedback}[kind](projection, synapse)

    def inverse(self, projection: Projection, plasticity: Plasticity) -> Inverse:
        """A learned way back along a forward projection, with weights and a bias of its own.

        Raises:
            ShapeError: sizes that no inverse can restore.
        """
        # G3 goes back along W3, Q3 along the head H3: arrays of their own, drawn independently of the forward ones.
        letter = {"W": "G", "H": "Q"}[projection.synapse.name[0]]
        number, below, above = int(projection.synapse.name[1:]), projection.pre.whole, projection.post
        shape = (3, 3, above.shape[-1], below.shape[-1]) if projection.convolution else (above.size, below.size)
        if projection.convolution and above.shape[:2] not in (below.shape[:2], (below.shape[0] / 2, below.shape[1] / 2)):
            told = " to ".join(f"{r}x{c}x{k}" for r, c, k in (below.shape, above.shape))
            raise ShapeError(f"layer {number} goes from {told}", "the same rows and columns, or half of them, for an inverse",
                             "take another --network, or --rule ll")  # fmt: skip
        seed = [self.seed, ord(letter), number]
        synapse = Synapse(f"{letter}{number}", shape, "inverse weight", seed, plasticity, self.dtype)
        return Inverse(projection, synapse, self._bias(synapse))

    def propagate(self, top: int | None = None, start: int = 0) -> Iterator[Step]:
        """The steps from the activity of layer ``start``, 0 the image, to that of layer ``top``."""
        for projection in self.upwards(top, start):
            yield from projection.transmit()
            yield from projection.post.respond()
