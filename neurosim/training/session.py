"""A session: the data, the network, the rule and the programs that one configuration asks for, ready to train."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from neurosim import losses, rules
from neurosim import plasticity as plasticities
from neurosim.core import tuning
from neurosim.core.plan import Plan
from neurosim.data.dataset import Dataset
from neurosim.data.sources.loading import load
from neurosim.data.views.deformation import Deformation, SimclrDeformation
from neurosim.data.views.framing import Framing
from neurosim.engine.arena import Arena
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError, DeviceError, RunError, WiringError
from neurosim.kernels.devices import backend
from neurosim.networks.network import Network, parse
from neurosim.parts.stimulus import Stimulus
from neurosim.plasticity.base import Plasticity
from neurosim.training.config import OF_RULES, Config

# Roles that a checkpoint keeps.
SAVED = ("forward weight", "feedback weight", "inverse weight", "prediction weight", "plasticity", "memory")
# Of the toys colour tells nothing and the outline tells everything: their views differ in colour and flip alone. With the
# photographs' affine deformations two views of one toy stay three quarters as far apart as two toys, and little is learned.
OF_TOYS = Deformation(scale=0.0, shift=0.0, hue=0.5)
CENTRED = {"gain": 2.0, "offset": -1.0}  # pixels as -1..1, so that no input has one sign only


def make_rule(config: Config, network: Network) -> rules.Rule:
    """The rule of a configuration, wired into a network; options that do not belong together are refused.

    Raises:
        WiringError: a rule, loss or option that does not exist, or does not belong.
    """
    accepted = losses.options(config.loss)
    if losses.available()[config.loss].patches != (config.patch is not None):
        raise WiringError(f"--loss {config.loss} {'with' if config.patch else 'without'} patches",
                          "patches for clapp and gaze, and for no other loss", "start the run from the command line")  # fmt: skip
    wanted = {name: getattr(config, name) for name in accepted}
    options = {name: getattr(config, name) for name in OF_RULES if getattr(config, name) is not None}
    return rules.make(config.rule, network, losses.make(config.loss, **wanted), **options)


def make_framing(config: Config) -> Framing:
    """What of every picture a configuration looks at."""
    return Framing(config.crop, config.patch, config.grey)


def make_deformation(config: Config) -> Deformation | SimclrDeformation:
    """How the views of a configuration are deformed."""
    if config.deformation == "simclr":
        return SimclrDeformation()
    return OF_TOYS if config.data == "toys" else Deformation()


def make_dtype(config: Config):
    """The type of activities and weights."""
    return np.float64 if config.precision == "float64" else np.float32


def make_network(config: Config, image: tuple[int, int, int]) -> Network:
    """The network of a configuration, for images of a shape.

    Raises:
        DataError, ShapeError: images that cannot be cut or pooled as asked.
    """
    framing = make_framing(config)
    views = config.batch * framing.views(image[0]) if config.patch is not None else None

    def plasticity(gain: float, name: str) -> Plasticity:
        known = plasticities.options(config.plasticity)
        options = {option: getattr(config, option) for option in ("momentum", "decay") if option in known}
        return plasticities.make(config.plasticity, rate=config.rate * gain, name=name, **options)

    layers, gains = len(parse(config.network)), config.layer_rates
    if gains is not None and len(gains) != layers:
        raise WiringError(f"--layer-rates with {len(gains)} numbers", f"one for each of the {layers} layers",
                          "write them bottom first, with commas, or leave --layer-rates out")  # fmt: skip
    each = [plasticity(gain, f"rate {number}") for number, gain in enumerate(gains or (), 1)]
    return Network(config.network, framing.shape(image), config.batch, block=config.block, seed=config.seed,
                   plasticity=plasticity(1.0, "rate"), head_plasticity=plasticity(config.head_rate, "head rate"),
                   layer_plasticities=each, feedback_gain=config.feedback_gain, views=views,
                   dtype=make_dtype(config))  # fmt: skip


class Session:
    """Everything a run needs, built from its configuration and nothing else.

    Args:
        config: what is asked for.
        data: the images that ``config.data`` names, where somebody has read them already; cut as it says.

    Raises:
        DataError, WiringError, ShapeError: whatever cannot be had, in one line.
    """

    def __init__(self, config: Config, data: Dataset | None = None):
        self.config = config
        self.kernels = backend(config.device, config.precision)
        self.device = self.kernels.device
        frames = 3 if config.views == "motion" else 1
        where = Path(config.data_dir) if config.data_dir else None
        make_rule(config, make_network(config, (256, 256, 3)))  # what cannot be wired is refused before data are read
        self.data = load(config.data, where, frames=frames, images=config.images) if data is None else data
        if len(self.data.train_images) < config.batch:
            raise DataError(f"{len(self.data.train_images)} training images and a batch of {config.batch}",
                            "at least one batch of images", "use a smaller --batch or more images")  # fmt: skip
        self.network = make_network(config, self.data.image_shape)
        self.rule = make_rule(config, self.network)
        self.framing = make_framing(config)
        self.deformation = make_deformation(config)
        self.stimulus = Stimulus(self.network.populations[0], **CENTRED, kernel=self.deformation.kernel)
        self.deformed = config.views == "deform"
        self._programs: dict[str, Program] = {}
        self._order: tuple[int, np.ndarray] | None = None  # an epoch and its order
        self._arena = Arena()
        self.resident = self._reside() if self.device else None

    def _reside(self):
        """All pictures in the GPU's memory, ``(sample, row, column, channel)``; None where they are cut or do not fit."""
        images, config = self.data.train_images, self.config
        if config.crop or config.grey or config.views == "gaze" or images.nbytes > self.device.free() // 2:
            return None
        pictures = images.reshape(-1, *images.shape[-3:])
        held = self.device.zeros(pictures.shape, pictures.dtype)
        self.device.put(held, pictures)
        self.stimulus.images.move(self.device)
        return held

    @property
    def batches(self) -> int:
        """Batches in an epoch; what is left over of the images waits for the next epoch's order."""
        return len(self.data.train_images) // self.config.batch

    @property
    def epochs(self) -> int:
        """Passes through the images in all."""
        return self.rule.epochs(self.config.epochs)

    def plan(self, phase: str) -> Plan:
        """The whole plan of a phase: stimulus, forward, error, plasticity."""
        return Plan(phase, [*self.stimulus.present(self.deformed), *self.rule.wire(phase)], self.rule.outputs(phase))

    def program(self, phase: str) -> Program:
        """The phase's plan bound to kernels; greedy order keeps only the newest.

        Activities, gates, errors and changes use one memory one after another, and their buffers show nothing of it
        afterwards. To look at them run ``Program(session.plan(phase), session.kernels, hold=True)``.
        """
        if phase not in self._programs:
            if self.config.order == "greedy":
                self._programs.clear()
            plan = self.plan(phase)
            if self.device is not None:
                self._make_room(plan)
            self._programs[phase] = Program(plan, self.kernels, arena=self._arena)
        return self._programs[phase]

    def _make_room(self, plan: Plan) -> None:
        """Refuse a batch whose arrays do not fit the GPU, and say which would.

        Raises:
            DeviceError: a plan that is too large.
        """
        there = sum(b.nbytes for b in plan.buffers if b.device is self.device)
        grows = sum(b.nbytes for b in plan.buffers if b.axes[0] in ("sample", "moment", "moment_stored"))
        stays, batch = sum(b.nbytes for b in plan.buffers) - grows, self.config.batch

        def takes(count):
            part = grows * count // batch
            return stays + part + 2 * min(tuning.GPU.patch_bytes, part)  # arrays, then what the kernels borrow

        have = self.device.free() + there
        if takes(batch) > have:
            fits = next((count for count in range(batch - 1, 1, -1) if takes(count) <= have), None)
            raise DeviceError(f"a batch of {batch} takes {takes(batch) / 2**30:.3f} GiB and {self.device.name} has "
                              f"{have / 2**30:.3f} GiB for it", "arrays that fit",
                              f"write --batch {fits}" if fits else "take a smaller --network, or --device cpu")  # fmt: skip

    def order(self, epoch: int) -> np.ndarray:
        """Every picture's number, in the order of an epoch: a function of seed and epoch alone, kept until the next epoch."""
        if self._order is None or self._order[0] != epoch:
            rng = np.random.default_rng([self.config.seed, ord("O"), epoch])
            self._order = epoch, rng.permutation(len(self.data.train_images))
        return self._order[1]

    def show(self, epoch: int, batch: int) -> None:
        """Lay the views of one batch before the stimulus: a function of seed, epoch and batch alone."""
        config, images = self.config, self.data.train_images
        chosen = self.order(epoch)[batch * config.batch : (batch + 1) * config.batch]
        rng = np.random.default_rng([config.seed, ord("V"), epoch, batch])
        if config.views == "gaze":
            self.stimulus.load(self.framing.random_crop(images[chosen], rng))
        elif config.views == "motion":
            # Which of two frames is view 1 is drawn too: under the gradient block view 2 moves towards view 1, and a
            # difference that all pairs share (an earlier and a later light) would run away.
            frames = np.argsort(rng.random((len(chosen), images.shape[1])), axis=1)[:, :2]
            if self.resident is not None:
                self.stimulus.choose(self.resident, (chosen[:, None] * images.shape[1] + frames).T.ravel())
            else:
                self.stimulus.load(np.concatenate([images[chosen, frames[:, 0]], images[chosen, frames[:, 1]]]))
        else:
            # A crop is where the picture is; the two views of it are deformed.
            if self.resident is not None:
                self.stimulus.choose(self.resident, np.concatenate([chosen, chosen]))
            else:
                seen = self.framing.random_crop(images[chosen], rng) if config.crop or config.grey else images[chosen]
                self.stimulus.load(np.concatenate([seen, seen]))
            self.stimulus.draw(self.deformation, rng)

    def match_heads(self, team: ThreadTeam) -> None:
        """Scale every head's initial weights so that different images lie ``threshold`` apart on the first batch.

        The margins of the hinge are absolute (1 and 3): a head whose distances start far from them gets errors of one
        sign only, and its layer shrinks or saturates. A constant per head, chosen before anything is learned.
        """
        self.show(0, 0)
        heads = [self.network.head(number) for number in self.rule.errors]
        steps = [*self.stimulus.present(self.deformed), *self.network.propagate(max(self.rule.errors))]
        for head in heads:
            steps += [*head.transmit(), *head.post.respond()]
        seen = [head.post.activity for head in heads]
        Program(Plan("match heads", steps, seen), self.kernels, arena=self._arena).run(team)
        for head in heads:
            z = head.post.activity.host().astype(float)
            z = z if self.config.patch is not None else z[: self.config.batch]
            # Of patches, those at the same place of the next picture.
            apart = np.abs(z - np.roll(z, len(z) // self.config.batch, axis=0)).sum(axis=1).mean()
            if apart > 0:
                head.synapse.rescale(self.config.threshold / apart)
        self._programs.clear()  # the steps of signum hold the bounds as they were

    def buffers(self) -> dict[str, object]:
        """Every buffer that a checkpoint keeps, by name."""
        return {b.name: b for phase in self.rule.phases for b in self.plan(phase).buffers if b.role in SAVED}

    def state(self) -> dict[str, np.ndarray]:
        """Copies of all weights, traces and memories, by name, and the bounds that `match_heads` set."""
        arrays = {name: buffer.host().copy() for name, buffer in self.buffers().items()}
        for synapse in self.rule.synapses():
            arrays.setdefault(synapse.name, synapse.weight.host().copy())
            arrays[f"bound {synapse.name}"] = np.float64(synapse.bound)
        return arrays

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Put a checkpoint's arrays back.

        Raises:
            RunError: arrays of another network, rule or plasticity.
        """
        for synapse in self.rule.synapses():
            synapse.bound = float(arrays.get(f"bound {synapse.name}", synapse.bound))
        self._programs.clear()  # the steps of signum hold the bounds as they were
        mine = self.state()
        strange = sorted(set(mine) ^ set(arrays)) or [
            name for name, array in mine.items()
            if (array.shape, array.dtype) != (arrays[name].shape, arrays[name].dtype)
        ]  # fmt: skip
        if strange:
            raise RunError(f"the checkpoint is of another network or rule: {strange[0]} does not fit",
                           "the arrays of this configuration", "resume the run it belongs to, or train anew")  # fmt: skip
        buffers = {s.name: s.weight for s in self.rule.synapses()} | self.buffers()
        for name, buffer in buffers.items():
            buffer.put(arrays[name])

    def memory(self) -> int:
        """Bytes of the images and of every array of the longest phase."""
        longest = max(self.rule.phases, key=lambda phase: self.plan(phase).flops, default=None)
        held = self.data.train_images
        return (self.program(longest).nbytes if longest else 0) + (0 if isinstance(held, np.memmap) else held.nbytes)

    def expected_seconds(self, team: ThreadTeam) -> float:
        """Seconds that training will take, from the plans' arithmetic and a matrix product timed now."""
        size = np.ones((512, 512), np.float32)
        outs = [np.empty_like(size) for _ in range(2 * team.threads)]
        tasks = [lambda out=out: [np.matmul(size, size, out=out) for _ in range(4)] for out in outs]
        team.run(tasks)
        start = time.perf_counter()
        team.run(tasks)
        rate = len(tasks) * 4 * 2 * 512**3 / (time.perf_counter() - start)
        phases = [self.plan(phase).flops for phase in self.rule.phases] or [0]
        # Tiles save three quarters of most products; transforms, pools, gates and deformations cost about as much again:
        # measured with 100 pairs, 1.0 times the plain sum's products for conv5, 1.3 for small.
        return 1.2 * self.epochs * self.batches * float(np.mean(phases)) / rate

