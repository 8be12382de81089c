"""Both sides of the benchmark with one interface, and the check that they compute the same."""

import numpy as np

from neurosim.data.deform import Deformation
from neurosim.errors import RunError
from neurosim.execute import Program, Room
from neurosim.kernels.api import backend
from neurosim.losses.hinge import Hinge
from neurosim.network import Network
from neurosim.parts.eye import Eye
from neurosim.parts.plasticity import Plasticity
from neurosim.plan import Plan
from neurosim.rules import make

RATE = 1e-4
PEERS = ("bp", "ll-greedy", "ll-random", "ll-simultaneous", "dtp")  # what is written in PyTorch too
RULES = (*PEERS, "rf", "urf", "sign")
NETWORKS = {"dtp": "conv4-tanh"}  # of every other rule: conv5
GAINS = {"dtp": 1.5}  # of the weights in the stricter check; of every other rule: 1.7


def gain_for(rule):
    """What multiplies the initial weights for `validate` with few pairs, so that some hinges are active and others are not."""
    return GAINS.get(rule, 1.7)


def parameters_for(images):
    """The deformation of every view, the same on every side."""
    return Deformation().draw(np.random.default_rng(1), len(images))


def noise_for(number, shape):
    """Noise on what dtp restores of layer ``number``, the same on every side."""
    return np.random.default_rng([9, number]).standard_normal(shape, np.float32)


class Ours:
    """neurosim's side of one rule.

    What chance gives a step, the deformation's parameters and dtp's noise, is drawn once: drawing is not part of it.

    Args:
        rule: one of `RULES`.
        images: ``(2 x pairs, 32, 32, 3)``, float32 in 0..1.
        workers: an entered `neurosim.execute.Workers`.
        deformed: whether each step deforms the images first.
        lags: None: all negatives and no gradient block; K: a memory of K lags and the gradient block.
        feedback: of the layer-wise rule.
        plasticity: adam or signum.
        kernels: of the device; None: the CPU's.
        network: a preset or a text; None: the rule's of the benchmark.
    """

    def __init__(self, rule, images, workers, *, deformed, lags, feedback, plasticity, kernels=None, network=None):
        network = Network(network or NETWORKS.get(rule, "conv5"), images.shape[1:], len(images) // 2, block=lags is not None,
                          plasticity=Plasticity(plasticity, rate=RATE))  # fmt: skip
        self._x0 = network.populations[0].activity
        self._x0.put(images)
        name, _, order = rule.partition("-")
        options = {"order": order, "feedback": feedback} if order else {}
        self.rule = make(name, network, Hinge(lags=lags), **options)
        for inverse in getattr(self.rule, "inverses", ()):
            for noise in inverse.noise:
                noise.put(noise_for(inverse.below.number, noise.shape))
        self.workers, self.kernels = workers, kernels or backend("cpu")
        self.lessons, self._programs, self._look = range(len(self.rule.lessons)), {}, []
        self._room = Room()
        if deformed:
            eye = Eye(network.populations[0])
            eye.show(np.uint8(255 * images))
            for parameter, values in parameters_for(images).items():
                eye.parameters[parameter].put(values)
            self._look = list(eye.look(True))

    def plan(self, lesson):
        """The plan of a lesson."""
        return Plan(self.rule.lessons[lesson], [*self._look, *self.rule.wire(self.rule.lessons[lesson])])

    def prepare(self):
        """Before a turn: nothing to do."""

    def step(self, lesson):
        if lesson not in self._programs:
            self._programs[lesson] = Program(self.plan(lesson), self.kernels, hold=[self._x0], room=self._room)
        self._programs[lesson].run(self.workers)

    def changes(self, lesson):
        """A step after which every synapse's summed outer products can be seen: name -> buffer."""
        found = {name: synapse.change for name, synapse in self.synapses().items()}
        Program(self.plan(lesson), self.kernels, hold=[self._x0, *found.values()], room=self._room).run(self.workers)
        return found

    def load(self, weights):
        """Take weights by name."""
        for name, synapse in self.synapses().items():
            synapse.weight.put(weights[name])

    def seen(self):
        """The views of the last step, ``(sample, row, column, channel)``."""
        return self._x0.host()

    def loss(self, lesson):
        return sum(float(units.value.host()[0]) for units in self.rule.errors_of(self.rule.lessons[lesson]))

    def synapses(self):
        """Name -> synapse of everything that the rule's lessons use."""
        return {synapse.name: synapse for synapse in self.rule.synapses()}


class Theirs:
    """PyTorch's side of one rule; arguments as for `Ours`, and ``tuned``: which of the two ways of writing it."""

    def __init__(self, rule, images, threads, *, tuned, lags, feedback, plasticity, deformed=False):
        import torch
        from neurosim.bench.peers_deform import Deformed
        from neurosim.bench.peers_dtp import TargetPeer
        from neurosim.bench.peers_torch import Peer

        torch.set_num_threads(threads)
        kind = TargetPeer if rule == "dtp" else Peer
        self.peer = kind(rule, tuned=tuned, lags=lags, feedback=feedback, plasticity=plasticity, rate=RATE)
        self.lessons, self._loss = range(len(self.peer.lessons)), None
        self._eye = Deformed(np.uint8(255 * images), parameters_for(images), tuned) if deformed else None
        self._x = None if deformed else self.peer.views(images)
        if rule == "dtp":
            views = len(images) // (2 if lags else 1)
            self.peer.listen({number: noise_for(number, (views, *self.peer.maps[number])) for number in self.peer.restored})
        self._torch, self._threads = torch, threads

    def prepare(self):
        """Before a turn: neurosim holds every library to one thread; PyTorch takes its threads back."""
        self._torch.set_num_threads(self._threads)

    def step(self, lesson):
        if self._eye:
            self._x = self._eye.look()
        self._loss = self.peer.step(self.peer.lessons[lesson], self._x)

    def seen(self):
        """The views of the last step, ``(sample, row, column, channel)``."""
        return self._x.permute(0, 2, 3, 1).cpu().numpy()

    def load(self, weights):
        """Take weights by name, in neurosim's layout."""
        self.peer.load(weights)

    def loss(self, lesson):
        return float(self._loss)


def images_for(pairs):
    """Views ``(2 x pairs, 32, 32, 3)`` in 0..1: a coarse random image a moment, view 2 a little different."""
    draw = np.random.default_rng(7)
    coarse = draw.random((pairs, 8, 8, 3), np.float32).repeat(4, 1).repeat(4, 2)
    noise = 0.1 * draw.random((2, pairs, 32, 32, 3), np.float32)
    return np.clip(coarse + noise, 0, 1).reshape(2 * pairs, 32, 32, 3)


def validate(ours, theirs, name, gain, tolerance):
    """One step of every lesson from the same weights: the same views, the same loss, the same outer products.

    The weights are the initial ones times ``gain``: with 1 nearly all hinges of the upper layers are active, with that of
    `gain_for` activity nearly keeps its size from layer to layer, and few are. Then the initial weights are put back on
    all sides. In a large batch some places of a pool's window differ by less than rounding, and so do some distances and
    margins; each side may decide otherwise there, and even the two PyTorch sides differ by some 1e-3. A small batch makes
    the stricter test. Returns the largest difference, relative to an array's size or, of a view, to white.

    Raises:
        RunError: one above ``tolerance``.
    """
    synapses, worst = ours.synapses(), 0.0
    initial = {n: synapse.weight.host().copy() for n, synapse in synapses.items()}
    weights = {n: weight * weight.dtype.type(gain) for n, weight in initial.items()}
    for lesson in ours.lessons:
        ours.load(weights)
        changes = ours.changes(lesson)
        for side, them in theirs.items():
            them.prepare()
            them.load(weights)
            them.step(lesson)
            apart = {"a view": float(np.abs(them.seen() - ours.seen()).max())}
            apart["loss"] = abs(them.loss(lesson) - ours.loss(lesson)) / max(1.0, abs(ours.loss(lesson)))
            for n, change in them.peer.changes().items():
                size = max(1e-12, float(np.linalg.norm(change)))  # all zero where no hinge is active
                apart[n] = float(np.linalg.norm(changes[n].host() - change)) / size
            for n, difference in apart.items():
                if not difference < tolerance:
                    raise RunError(f"{name}, lesson {lesson + 1}: {n} of neurosim and of PyTorch ({side}) differ by "
                                   f"{difference:.1e}", f"less than {tolerance}", "mend whichever changed")  # fmt: skip
            worst = max(worst, *apart.values())
    for side in (ours, *theirs.values()):
        side.load(initial)
    return worst
