"""Both sides of the benchmark with one interface, and the check that they compute the same."""

import warnings

import numpy as np

from neurosim.data.views.affine import Affine
from neurosim.engine.program import Arena, Program
from neurosim.errors import RunError
from neurosim.kernels.compiled import faster
from neurosim.kernels.devices import backend
from neurosim.losses.hinge import Hinge
from neurosim.networks.network import Network
from neurosim.plasticity import make as make_plasticity
from neurosim.rules import make
from neurosim.training.assembly import Assembly

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
    return Affine().draw(np.random.default_rng(1), len(images))


def noise_for(number, shape):
    """Noise on what dtp restores of layer ``number``, the same on every side."""
    return np.random.default_rng([9, number]).standard_normal(shape, np.float32)


class Ours:
    """neurosim's side of one rule.

    What chance gives a step, the deformation's parameters and dtp's noise, is drawn once: drawing is not part of it.

    Args:
        rule: one of `RULES`.
        images: ``(2 x pairs, 32, 32, 3)``, float32 in 0..1.
        team: an entered `neurosim.engine.program.ThreadTeam`.
        deformed: whether each step deforms the images first.
        lags: None: all negatives and no gradient block; K: a memory of K lags and the gradient block.
        feedback: of the layer-wise rule.
        plasticity: adam or signum.
        kernels: of the device; None: the CPU's.
        network: a preset or a text; None: the rule's of the benchmark.
    """

    def __init__(self, rule, images, team, *, deformed, lags, feedback, plasticity, kernels=None, network=None):
        network = Network(
            network or NETWORKS.get(rule, "conv5"),
            images.shape[1:],
            len(images) // 2,
            block=lags is not None,
            plasticity=make_plasticity(plasticity, rate=RATE),
        )
        self._x0 = network.populations[0].activity
        self._x0.put(images)
        name, _, order = rule.partition("-")
        options = {"order": order, "feedback": feedback} if order else {}
        self.rule = make(name, network, Hinge(lags=lags), **options)
        for inverse in getattr(self.rule, "inverses", ()):
            for noise in inverse.noise:
                noise.put(noise_for(inverse.below.number, noise.shape))
        self.team, self.kernels = team, faster(kernels or backend("cpu"))
        self.phases, self._programs = range(len(self.rule.phases)), {}
        self._arena = Arena()
        self._assembly = (
            Assembly(self.rule, Affine(), gain=1.0, offset=0.0) if deformed else None
        )  # pixels as PyTorch's side has them
        if deformed:
            stimulus = self._assembly.stimulus
            stimulus.load(np.uint8(255 * images))
            for parameter, values in parameters_for(images).items():
                stimulus.parameters[parameter].put(values)

    def plan(self, phase):
        """The plan of a phase."""
        return (self._assembly or self.rule).plan(self.rule.phases[phase])

    def prepare(self):
        """Before a turn: nothing to do."""

    def step(self, phase):
        if phase not in self._programs:
            self._programs[phase] = Program(self.plan(phase), self.kernels, hold=[self._x0], arena=self._arena)
        self._programs[phase].run(self.team)

    def changes(self, phase):
        """A step after which every synapse's summed outer products can be seen: name -> buffer."""
        found = {name: synapse.change for name, synapse in self.synapses().items()}
        Program(self.plan(phase), self.kernels, hold=[self._x0, *found.values()], arena=self._arena).run(self.team)
        return found

    def load(self, weights):
        """Take weights by name."""
        for name, synapse in self.synapses().items():
            synapse.weight.put(weights[name])

    def seen(self):
        """The views of the last step, ``(sample, row, column, channel)``."""
        return self._x0.host()

    def loss(self, phase):
        return sum(float(units.value.host()[0]) for units in self.rule.errors_of(self.rule.phases[phase]))

    def synapses(self):
        """Name -> synapse of everything that the rule's phases use."""
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
        self.phases, self._loss = range(len(self.peer.phases)), None
        self._eye = Deformed(np.uint8(255 * images), parameters_for(images), tuned) if deformed else None
        self._x = None if deformed else self.peer.views(images)
        if rule == "dtp":
            views = len(images) // (2 if lags else 1)
            self.peer.listen(
                {number: noise_for(number, (views, *self.peer.maps[number])) for number in self.peer.restored}
            )
        self._torch, self._threads = torch, threads

    def prepare(self):
        """Before a turn: neurosim holds every library to one thread; PyTorch takes its threads back."""
        self._torch.set_num_threads(self._threads)

    def step(self, phase):
        if self._eye:
            self._x = self._eye.look()
        self._loss = self.peer.step(self.peer.phases[phase], self._x)

    def seen(self):
        """The views of the last step, ``(sample, row, column, channel)``."""
        return self._x.permute(0, 2, 3, 1).cpu().numpy()

    def load(self, weights):
        """Take weights by name, in neurosim's layout."""
        self.peer.load(weights)

    def loss(self, phase):
        return float(self._loss)


class Compiled(Theirs):
    """PyTorch's tuned side with what learns compiled; arguments as for `Theirs`.

    Args:
        mode: of ``torch.compile``: ``"default"`` or ``"max-autotune"``.
    """

    def __init__(self, *arguments, mode="default", **options):
        super().__init__(*arguments, **options)
        for name in self.peer.compilable:
            setattr(self.peer, name, self._torch.compile(getattr(self.peer, name), mode=mode))


def compiles(rule, side):
    """Whether PyTorch's compiler can compile a side: a step of every phase; a word where it cannot."""
    side.prepare()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler's, of its own parts
            for phase in side.phases:
                side.step(phase)
    except Exception as problem:  # whatever a compiler meets: the other sides are still worth their time
        print(f"{rule}: PyTorch's compiler fails and is left out ({str(problem).splitlines()[0]})", flush=True)
        return False
    return True


def images_for(pairs):
    """Views ``(2 x pairs, 32, 32, 3)`` in 0..1: a coarse random image a moment, view 2 a little different."""
    draw = np.random.default_rng(7)
    coarse = draw.random((pairs, 8, 8, 3), np.float32).repeat(4, 1).repeat(4, 2)
    noise = 0.1 * draw.random((2, pairs, 32, 32, 3), np.float32)
    return np.clip(coarse + noise, 0, 1).reshape(2 * pairs, 32, 32, 3)


def validate(ours, theirs, name, gain, tolerance):
    """One step of every phase from the same weights: the same views, the same loss, the same outer products.

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
    for phase in ours.phases:
        ours.load(weights)
        changes = ours.changes(phase)
        for side, them in theirs.items():
            them.prepare()
            them.load(weights)
            them.step(phase)
            apart = {"a view": float(np.abs(them.seen() - ours.seen()).max())}
            apart["loss"] = abs(them.loss(phase) - ours.loss(phase)) / max(1.0, abs(ours.loss(phase)))
            for n, change in them.peer.changes().items():
                size = max(1e-12, float(np.linalg.norm(change)))  # all zero where no hinge is active
                apart[n] = float(np.linalg.norm(changes[n].host() - change)) / size
            for n, difference in apart.items():
                if not difference < tolerance:
                    raise RunError(
                        f"{name}, phase {phase + 1}: {n} of neurosim and of PyTorch ({side}) differ by "
                        f"{difference:.1e}",
                        f"less than {tolerance}",
                        "mend whichever changed",
                    )
            worst = max(worst, *apart.values())
    for side in (ours, *theirs.values()):
        side.load(initial)
    return worst
