"""What the rules of this museum are put together from: a plain rule with a method for everything that can go wrong."""

from __future__ import annotations

import inspect

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.core.step import Step
from neurosim.parts.feedback import Feedback, UpdatedFeedback
from neurosim.parts.synapse import Synapse
from neurosim.rules import Rule


def kernel(reads="", writes="", updates="", sums="", kind=None, over=()):
    """Declares a kernel of the file's own: names of arguments, or argument -> layout; keyword-only ones are scalars."""

    def declare(function):
        uses = {"reads": reads, "writes": writes, "updates": updates, "sums": sums}
        texts = {use: dict.fromkeys(a.split(), "*") if isinstance(a, str) else a for use, a in uses.items()}
        given = inspect.signature(function).parameters.values()
        scalars = tuple(p.name for p in given if p.kind is p.KEYWORD_ONLY)
        made = Kernel(function.__name__, kind=kind, scalars=scalars, over=over, **texts)
        made.origin = function.__module__
        made.reference(function)
        made.cpu(function)
        return made

    return declare


def step(kernel, label, over=None, **given):
    """A step of a kernel: its arguments and scalars by name."""
    arguments = {name: given.pop(name) for name in kernel.arguments if name in given}
    return Step(kernel, label, kernel.equation or label, arguments, given, over)


def like(buffer, name, role=None, owner=None, **options):
    """A buffer of the same axes and sizes."""
    options.setdefault("dtype", buffer.dtype)
    return Buffer(name, buffer.axes, buffer.shape, role or buffer.role, owner or buffer.owner, **options)


def back_synapse(network, projection, learns=False, role="feedback weight", letter=None):
    """A synapse of feedback along a projection, with weights and a seed of its own."""
    name = projection.synapse.name
    letter = letter or {"W": "B", "H": "F"}[name[0]]
    plasticity = projection.synapse.plasticity if learns else None
    seed = [network.seed, ord(letter), int(name[1:])]
    return Synapse(f"{letter}{name[1:]}", projection.synapse.shape, role, seed, plasticity, network.dtype)


def own_path(network, projection, learns=False):
    """Feedback along a projection with weights of its own."""
    return (UpdatedFeedback if learns else Feedback)(projection, back_synapse(network, projection, learns))


class Lab(Rule):
    """End to end through fixed random feedback, written out: an innocent rule, until a method is replaced."""

    name = "lab"
    learns = False  # the feedback, by outer products of its own

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases, top = ("all layers",), len(network)
        self.head, self.error = network.head(top), self._attach(top)
        self.learners = [self.head, *reversed(network.projections)]
        self.down = [self.path(projection) for projection in self.learners[:-1]]
        self.feedbacks = [*self.down]
        self.build()

    def path(self, projection):
        """The feedback along a projection."""
        return own_path(self.network, projection, self.learns)

    def build(self):
        """What else it is made of."""

    def wire(self, phase):
        yield from self.begin()
        yield from self.up()
        yield from self.compare()
        for projection, back in zip(self.learners, [*self.down, None], strict=True):
            yield from self.gate(projection.post)
            yield from self.learn(projection)
            if back is not None:
                yield from back.learn()
                yield from self.deliver(back)
        yield from self.change()
        yield from self.end()

    def begin(self):
        """Before the activity."""
        yield from ()

    def up(self):
        """Activity, up to the head's."""
        yield from self.network.propagate()
        yield from self.head.transmit()
        yield from self.head.post.respond()

    def compare(self):
        """The error of the head."""
        yield from self.error.compare()

    def gate(self, units):
        """Of what a unit received, its factor."""
        yield from units.gate()

    def learn(self, projection):
        """Outer products."""
        yield from projection.hebbian()

    def deliver(self, back):
        """An error goes down."""
        yield from back.deliver()

    def change(self):
        """All lasting changes."""
        for part in (*self.learners, *self.down, self.error):
            yield from part.apply_update()

    def end(self):
        """After all changes."""
        yield from ()


class HeadOnly(Rule):
    """One layer below a head, its error by steps of ``send``: the shortest rule that has feedback."""

    name = "head only"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases, top = ("top",), len(network)
        self.head, self.error = network.head(top), self._attach(top)
        self.layer = network.projections[-1]
        self.back = own_path(network, self.head)
        self.feedbacks = [self.back]
        self.build()

    def build(self):
        """What else it is made of."""

    def wire(self, phase):
        yield from self.see()
        yield from self.read()
        yield from self.compare()
        yield from self.head.post.gate()
        yield from self.send(self.head.post.post, self.layer.post.error.flat())
        yield from self.gate()
        yield from self.learn()
        yield from self.change()

    def see(self):
        """Activity of the layers."""
        yield from self.network.propagate()

    def read(self):
        """Activity of the head."""
        yield from self.head.transmit()
        yield from self.head.post.respond()

    def compare(self):
        """The error of the head."""
        yield from self.error.compare()

    def gate(self):
        """Of what the layer received, its factor."""
        yield from self.layer.post.gate()

    def learn(self):
        """Outer products."""
        for projection in (self.layer, self.head):
            yield from projection.hebbian()

    def change(self):
        """All lasting changes."""
        for part in (self.layer, self.head, self.back):
            yield from part.apply_update()

    def send(self, post, error):
        """From the head's factor ``(sample, unit)`` to the layer's error ``(sample, unit below)``."""
        yield from self.back.deliver()


def signs(shape, seed=5):
    """Random signs."""
    return np.where(np.random.default_rng(seed).random(shape) < 0.5, -1.0, 1.0)
