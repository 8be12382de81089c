"""What plans of known truth are put together from: a base rule with places where traits add steps, and helpers for them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.core.step import Step
from neurosim.parts.feedback import Feedback, UpdatedFeedback
from neurosim.parts.projection import Projection
from neurosim.parts.synapse import Synapse
from neurosim.plasticity import make as make_plasticity
from neurosim.rules import Rule

REAL = np.float32


def own_step(name, function, label, kind=None, updates=(), sums=(), reads=(), writes=()):
    """A step that runs ``function`` on buffers by name; each group is argument -> buffer."""
    groups = {"reads": dict(reads), "writes": dict(writes), "updates": dict(updates), "sums": dict(sums)}
    uses = {use: dict.fromkeys(group, "*") for use, group in groups.items()}
    kernel = Kernel(name, kind=kind, **uses)
    assert set(inspect.signature(function).parameters) == {a for group in groups.values() for a in group}
    kernel.reference(function)
    kernel.cpu(function)
    return Step(kernel, label, label, {a: b for group in groups.values() for a, b in group.items()})


def like(buffer, name, role=None, owner=None, **options):
    """A buffer of the same axes and sizes."""
    options.setdefault("dtype", buffer.dtype)
    return Buffer(name, buffer.axes, buffer.shape, role or buffer.role, owner or buffer.owner, **options)


class Trait:
    """Something that a plan does beside its base; every method may add steps at one place of the base.

    Args:
        rng: of all that it chooses.
        number: unique within a plan, for names.
    """

    guilty = False
    needs = 1  # layers

    def __init__(self, rng: np.random.Generator, number: int):
        self.rng, self.number, self.detail = rng, number, ""
        self._chosen = {}

    @property
    def kind(self) -> str:
        """Of the plan, for the counts."""
        return type(self).__name__

    def name(self, word: str) -> str:
        """A name of its own for a kernel or an array."""
        return f"{word} {self.number}"

    def choose(self, *things):
        """One of some things, by lot."""
        return things[int(self.rng.integers(len(things)))]

    def claim(self, *kinds):
        """The kind that a kernel claims, by lot; the same whenever a plan is made."""
        if kinds not in self._chosen:
            self._chosen[kinds] = self.choose(*kinds)
        return self._chosen[kinds]

    def build(self, rule: Base) -> None:
        """Made of the rule, before any step."""

    def responded(self, rule: Base, units) -> Iterator[Step]:
        """A population has responded."""
        yield from ()

    def compared(self, rule: Base) -> Iterator[Step]:
        """The head's error is there."""
        yield from ()

    def sending(self, rule: Base, back) -> Iterator[Step]:
        """A feedback is about to deliver."""
        yield from ()

    def delivered(self, rule: Base, back) -> Iterator[Step]:
        """A feedback has delivered."""
        yield from ()

    def gated(self, rule: Base, units) -> Iterator[Step]:
        """A population has its factor."""
        yield from ()

    def learning(self, rule: Base, projection) -> Iterator[Step]:
        """A projection is about to make its outer products."""
        yield from ()

    def learned(self, rule: Base, projection) -> Iterator[Step]:
        """A projection has its outer products."""
        yield from ()

    def ended(self, rule: Base) -> Iterator[Step]:
        """All has changed."""
        yield from ()

    def hook(self, rule: Base, place: str, epoch: int = 0) -> None:
        """Between batches: ``draw``, ``phase``, ``progress``, ``plasticities``."""


class Base(Rule):
    """End to end, or straight from the head, through feedback of its own; what else it does, its traits do."""

    traits: list[Trait]
    seed = 0

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.rng = np.random.default_rng([self.seed, 11])
        self.phases, top = ("all layers",), len(network)
        self.head, self.error = network.head(top), self._attach(top)
        self.learners = [self.head, *reversed(network.projections)]
        self._change_plasticity()
        self.direct, self.learning = self.rng.random() < 0.25, self.rng.random() < 0.5
        self.down = [self._path(projection) for projection in self.learners[:-1]]
        self.feedbacks = [*self.down]
        self.presynaptic = {}  # projection -> what its changes are made of, where not of the activity below
        for trait in self.traits:
            trait.build(self)
        self.built = True

    def _change_plasticity(self):
        """All forward synapses learn by one plasticity, chosen by lot."""
        kind = ["sgd", "momentum", "signum"][int(self.rng.integers(3))]
        rates = {"sgd": 0.02, "momentum": 0.01, "signum": 0.01}
        self.plasticity = make_plasticity(kind, rate=rates[kind], decay=float(self.rng.choice([0.0, 0.1])))
        for projection in self.learners:
            for synapse in projection.synapses:
                self.use_plasticity(synapse)
        self.network.plasticity = self.network.head_plasticity = self.plasticity
        self.network.layer_plasticities = [self.plasticity] * len(self.network)

    def use_plasticity(self, synapse):
        """A synapse learns by the rule's plasticity."""
        synapse.plasticity = self.plasticity
        synapse.change = Buffer(f"d{synapse.name}", synapse.axes, synapse.shape, "change", synapse.name, REAL)
        synapse.state = self.plasticity.state(synapse.name, synapse.shape, synapse.axes, REAL)

    def _path(self, projection):
        """Feedback with weights of its own: along a projection, or from the head straight to its pre."""
        network, layer = self.network, projection.pre
        if self.direct:
            shape, seed = (layer.size, network.head_units), [self.seed, ord("D"), layer.number]
            synapse = Synapse(f"D{layer.number}", shape, "feedback weight", seed, None, REAL)
            return Feedback(Projection(layer, self.head.post, synapse), synapse)
        return self.own_path(projection, self.learning)

    def own_path(self, projection, learns):
        """Feedback along a projection."""
        letter = {"W": "B", "H": "F"}[projection.synapse.name[0]] + projection.synapse.name[1:]
        seed = [self.seed, ord(letter[0]), int(letter[1:])]
        plasticity = self.plasticity if learns else None
        synapse = Synapse(letter, projection.synapse.shape, "feedback weight", seed, plasticity, REAL)
        return (UpdatedFeedback if learns else Feedback)(projection, synapse)

    def _each(self, place, *things):
        for trait in self.traits:
            yield from getattr(trait, place)(self, *things)

    def wire(self, phase):
        for projection in [*self.network.projections, self.head]:
            yield from projection.transmit()
            yield from projection.post.respond()
            yield from self._each("responded", projection.post)
        yield from self.error.compare()
        yield from self._each("compared")
        for projection, back in zip(self.learners, [*self.down, None], strict=True):
            yield from projection.post.gate()
            yield from self._each("gated", projection.post)
            yield from self._each("learning", projection)
            yield from self._products(projection)
            yield from self._each("learned", projection)
            if back is not None:
                yield from back.learn()
                yield from self._each("sending", back)
                yield from back.deliver()
                yield from self._each("delivered", back)
        for part in (*self.learners, *self.down):
            yield from part.apply_update()
        yield from self._each("ended")

    def _products(self, projection):
        """The outer products of a projection."""
        if projection in self.presynaptic:
            yield from projection.synapse.hebbian(self.presynaptic[projection], projection.post.post)
        else:
            yield from projection.hebbian()

    def forward_of(self, back):
        """The forward synapse beside a feedback: the head's, where it comes straight from there."""
        return (self.head if self.direct else back.projection).synapse

    def _hook(self, place, epoch=0):
        if getattr(self, "built", False):
            for trait in self.traits:
                trait.hook(self, place, epoch)

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        self.moment = [self.seed, epoch, batch]
        self._hook("draw", epoch)

    def phase(self, epoch, batch, asked):
        self._hook("phase", epoch)
        return self.phases[0]

    def progress(self, epoch, part, asked):
        self._hook("progress", epoch)
        return super().progress(epoch, part, asked)

    def plasticities(self):
        self._hook("plasticities")
        return super().plasticities()
