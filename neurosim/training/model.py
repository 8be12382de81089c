"""A model: what a configuration builds, on a device, with the programs of its phases and everything that it remembers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core import tuning
from neurosim.engine.arena import Arena
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DeviceError, RunError
from neurosim.kernels.compiled import faster
from neurosim.kernels.devices import backend
from neurosim.readout.features import Encoder, forward_weights
from neurosim.rules.base import Rule
from neurosim.training.assembly import NOTHING, Assembly, Given, Shape, build, make_dtype, make_encoder, make_framing

if TYPE_CHECKING:
    from neurosim.core.backend import Backend
    from neurosim.core.buffer import Buffer
    from neurosim.core.device import Device
    from neurosim.core.plan import Plan
    from neurosim.core.typing import Array
    from neurosim.training.config import Config
    from neurosim.training.stream import ViewStream

APART = 2.0  # of heads of different images at the start, where the loss has no threshold


class Model(Assembly):
    """The network, rule and stimulus of a configuration, the device that runs them, and their state.

    A model is trained by the programs of its phases, and gives none before it is `ready`: its heads are matched to the
    first batch of a stream, or its state is that of a checkpoint.

    Args:
        config: what is asked for.
        image: (row, column, channel) of a picture.
        given: parts that were given from Python, see `neurosim.training.assembly.build`.

    Raises:
        WiringError, DataError, ShapeError, DeviceError: whatever cannot be had, in one line.
    """

    def __init__(self, config: Config, image: Shape, given: Given = NOTHING):
        self.config, self.image, self.given = config, image, given
        self.kernels: Backend = backend(config.training.device, config.training.precision)
        self.device = self.kernels.device
        built = build(config, image, given)
        super().__init__(built.rule, built.stimulus.deformation, **built.stimulus.scalars)
        self.framing = make_framing(config)
        self._programs: dict[str, Program] = {}
        self._arena = Arena()
        self._ready = False
        self.watched: dict[str, dict[str, Buffer]] = {}  # phase -> name -> what somebody looks at after every batch

    # -- programs
    @property
    def is_ready(self) -> bool:
        """Whether it may be trained."""
        return self._ready

    @property
    def wired(self) -> bool:
        """Whether its rule was given as an object, of which no copy can be made."""
        return isinstance(self.given.get("rule"), Rule)

    @property
    def greedy(self) -> bool:
        """Whether one layer is trained for all its epochs, then the next."""
        return getattr(self.rule, "order", None) == "greedy"

    def program(self, phase: str) -> Program:
        """The phase's plan bound to kernels; greedy order keeps only the newest.

        Activities, gates, errors and changes use one memory one after another, and their buffers show nothing of it
        afterwards. To see them run ``Program(model.plan(phase), model.kernels, hold=True)``.

        Raises:
            RunError: the model is not `ready`.
        """
        if not self._ready:
            raise RunError(
                "this model is not ready to be trained",
                "heads that are matched, or a state that is restored",
                "call model.ready(stream, team), or train it by a Trainer",
            )
        return self._bound(phase)

    def _bound(self, phase: str) -> Program:
        if phase not in self._programs:
            if self.greedy:
                self._programs.clear()
            plan = self.plan(phase)
            if self.device is not None:
                self._check_memory(plan, self.device)
            seen = list(self.watched.get(phase, {}).values())
            self._programs[phase] = Program(plan, faster(self.kernels), seen, self._arena)
        return self._programs[phase]

    def _check_memory(self, plan: Plan, device: Device) -> None:
        """Refuse a batch whose arrays do not fit the GPU, and name one that would.

        Raises:
            DeviceError: a plan that is too large.
        """
        there = sum(b.nbytes for b in plan.buffers if b.device is device)
        grows = sum(b.nbytes for b in plan.buffers if b.axes[0] in ("sample", "moment", "moment_stored"))
        stays, batch = sum(b.nbytes for b in plan.buffers) - grows, self.network.pairs

        def takes(count: int) -> int:
            part = grows * count // batch
            return stays + part + 2 * min(tuning.GPU.patch_bytes, part)  # arrays, then the kernels' workspace

        have = device.free() + there
        if takes(batch) > have:
            fits = next((count for count in range(batch - 1, 1, -1) if takes(count) <= have), None)
            raise DeviceError(
                f"a batch of {batch} takes {takes(batch) / 2**30:.3f} GiB and {device.name} has "
                f"{have / 2**30:.3f} GiB for it",
                "arrays that fit",
                f"write batch={fits}" if fits else "take a smaller network, or device='cpu'",
                argument="batch",
            )

    # -- before the first batch
    def ready(self, stream: ViewStream, team: ThreadTeam) -> None:
        """Make it ready to be trained, once: match its heads to the stream's first batch, if the configuration asks for it.

        The margins of the hinge are absolute (1 and 3): a head whose distances start far from them gets errors of one
        sign only, and its layer shrinks or saturates. So every head's initial weights are multiplied by a constant, after
        which different images lie ``threshold`` apart (L1 distance) on the first batch, before anything is learned.

        Args:
            stream: that it will learn from, made for this model.
            team: who computes.
        """
        if self._ready:
            return
        if self.config.loss.match and self.rule.phases:
            self._match_heads(stream, team)
        self._ready = True

    def _match_heads(self, stream: ViewStream, team: ThreadTeam) -> None:
        stream.load(0, 0)
        heads = [self.network.head(number) for number in self.rule.errors]
        Program(self.propagation(self.rule.errors), self.kernels, arena=self._arena).run(team)
        for head in heads:
            z = head.post.activity.host().astype(float)
            z = z if self.framing.patch is not None else z[: self.network.pairs]
            # Of patches, those at the same place of the next picture.
            apart = np.abs(z - np.roll(z, len(z) // self.network.pairs, axis=0)).sum(axis=1).mean()
            if apart > 0:
                head.synapse.rescale(self.config.loss.options.get("threshold", APART) / apart)
        self._programs.clear()  # the steps of signum hold the bounds as they were

    # -- state
    def buffers(self) -> dict[str, Buffer]:
        """Every buffer that a checkpoint keeps, by name."""
        plans = map(self.plan, self.rule.phases)
        return {b.name: b for plan in plans for b in plan.buffers if b.role.is_saved}

    def weights(self) -> dict[str, Buffer]:
        """Every weight array of the rule, by name."""
        found = {s.name: s.weight for s in self.rule.synapses()}
        return found | {name: b for name, b in self.buffers().items() if b.role.is_weight}

    def state(self) -> dict[str, Array]:
        """Copies of all weights, traces and memories, by name, and the synapses' bounds."""
        arrays: dict[str, Array] = {name: buffer.host().copy() for name, buffer in self.buffers().items()}
        for synapse in self.rule.synapses():
            arrays.setdefault(synapse.name, synapse.weight.host().copy())
            arrays[f"bound {synapse.name}"] = np.asarray(np.float64(synapse.bound))
        return arrays

    def restore(self, arrays: Mapping[str, Array], ready: bool = True) -> None:
        """Put a checkpoint's arrays back.

        Args:
            arrays: as `state` gave them.
            ready: whether the model was ready then, as it is from its first batch on.

        Raises:
            RunError: arrays of another network, rule or plasticity.
        """
        mine = self.state()
        mismatched = sorted(set(mine) ^ set(arrays)) or [
            name
            for name, array in mine.items()
            if (array.shape, array.dtype) != (arrays[name].shape, arrays[name].dtype)
        ]
        if mismatched:
            raise RunError(
                f"the checkpoint is of another network or rule: {mismatched[0]} does not fit",
                "the arrays of this configuration",
                "resume the run it belongs to, or train anew",
            )
        for synapse in self.rule.synapses():
            synapse.bound = float(arrays[f"bound {synapse.name}"])
        self._programs.clear()  # the steps of signum hold the bounds as they were
        buffers = {s.name: s.weight for s in self.rule.synapses()} | self.buffers()
        for name, buffer in buffers.items():
            buffer.put(arrays[name])
        self._ready = ready

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Whatever is done to its arrays within, they are as before afterwards."""
        before, ready = self.state(), self._ready
        try:
            yield
        finally:
            self.restore(before, ready)

    # -- features
    def encoder(self, untrained: bool = False, image: Shape | None = None) -> Encoder:
        """A network of the same kind that only encodes.

        Args:
            untrained: with the weights as they were drawn (the floor), not as they are now.
            image: (row, column, channel) of the pictures; None: of those it learns from.
        """
        return make_encoder(
            str(self.network),
            image or self.image,
            None if untrained else forward_weights(self.network),
            seed=self.network.seed,
            framing=self.framing,
            dtype=make_dtype(self.config),
            kernels=self.kernels,
            scales=self.stimulus.scalars,
        )

    # -- cost
    def memory(self) -> int:
        """Bytes of every array of the longest phase."""
        phases = self.rule.phases
        return self._bound(max(phases, key=lambda phase: self.plan(phase).flops)).nbytes if phases else 0

    def seconds(self, team: ThreadTeam) -> float:
        """Seconds that a batch will take on the CPU, from the plans' arithmetic and a matrix product timed now."""
        size = np.ones((512, 512), np.float32)
        outs = [np.empty_like(size) for _ in range(2 * team.threads)]

        def multiply(out: Array) -> None:
            for _ in range(4):
                np.matmul(size, size, out=out)

        tasks: list[Callable[[], object]] = [partial(multiply, out) for out in outs]
        team.run(tasks)
        start = time.perf_counter()
        team.run(tasks)
        rate = len(tasks) * 4 * 2 * 512**3 / (time.perf_counter() - start)
        phases = [self.plan(phase).flops for phase in self.rule.phases] or [0]
        # Tiles save three quarters of most products; transforms, pools, gates and deformations cost about as much again:
        # measured with 100 pairs, 1.0 times the plain sum's products for conv5, 1.3 for small.
        return 1.2 * float(np.mean(phases)) / rate


def choose_device() -> tuple[str, str]:
    """The device that ``auto`` takes, and why: a GPU where one can be used."""
    try:
        device = backend("gpu").device
        return "gpu", device.name if device else ""
    except DeviceError as problem:
        return "cpu", str(problem).split(";")[0].removeprefix("device gpu was asked for and ")
