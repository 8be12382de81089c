"""The graph of plans: what every value is made of, step by step, batch after batch, by declarations and memory alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.plan import Plan
from neurosim.core.step import Step

FORWARD = ("forward weight", "prediction weight")  # what feedback must not be made of
WEIGHTS = (*FORWARD, "feedback weight", "inverse weight")
STIMULUS = ("image", "deformation", "noise")  # what comes from outside, without a label
# What the kernels of the protocol do. A kernel that is not here is judged by the roles of what it declares.
KINDS = {
    "deform": "see", "present": "see", "convolve": "transmit", "dense": "transmit", "activate": "respond", "pool": "respond",
    "deliver_convolution": "deliver", "deliver_dense": "deliver", "gate": "gate", "gate_pooled": "gate",
    "hebbian_convolution": "hebbian", "hebbian_dense": "hebbian", "send_sign": "send", "push": "store",
    "sgd": "plasticity", "momentum": "plasticity", "signum": "plasticity", "adam": "plasticity", "tick": "count",
    "hinge_all": "compare", "hinge_lags": "compare", "hinge_mean": "compare", "positive": "compare", "nt_xent": "compare",
    "barlow": "compare", "add_noise": "respond", "add_bias": "transmit", "upconvolve": "transmit", "mismatch": "compare",
    "aim": "gate", "correct_target": "gate", "hebbian_bias": "hebbian", "hebbian_upconvolution": "hebbian",
    "deform_simclr": "see", "average": "respond", "spread": "gate", "convolve_local": "transmit", "deliver_local": "deliver",
    "hebbian_local": "hebbian", "gaze": "compare", "clapp": "compare", "predict": "transmit", "deliver_prediction": "deliver",
    "hebbian_prediction": "hebbian",
}  # fmt: skip


def known(step: Step) -> bool:
    """Whether a step's kernel is one of the protocol whose kind is written here."""
    return step.function is None and step.kernel in KINDS


def kind(step: Step) -> str:
    """What a step does: see, transmit, respond, compare, deliver, gate, hebbian, plasticity, send, store, count, other."""
    if known(step):
        return KINDS[step.kernel]
    reads = {b.role for b in (*step.reads.values(), *step.updates.values())}
    changed = {b.role for b in step.changed.values()}
    if any(b.role in WEIGHTS for b in step.updates.values()):
        return "plasticity"
    if changed & set(WEIGHTS):
        return "send"
    if "change" in changed:
        return "hebbian"
    if "plasticity" in changed:
        return "count"
    if "memory" in changed:
        return "store"
    if "error" in changed:
        return "deliver" if reads & set(WEIGHTS) else "gate" if "error" in reads else "compare"
    if changed & {"activity", "gate", "image"}:
        return "transmit" if reads & set(WEIGHTS) else "respond"
    return "other"


@dataclass(frozen=True, eq=False)
class Site:
    """A step at its place: which plan, which number (from 1, as `neurosim explain` prints it)."""

    phase: str
    number: int
    step: Step
    kind: str

    def __str__(self):
        return f"step {self.number} of {self.phase!r} ({self.step.label})"

    @property
    def inputs(self) -> dict[str, Buffer]:
        """Argument name -> buffer whose value matters to what the step leaves."""
        return {**self.step.reads, **self.step.updates}


@dataclass
class Slice:
    """What a value is made of: a walk back from one site, that stops at activity that a stimulus caused.

    Args:
        start: where the walk began.
        parents: site -> the site that asked for its result.
        met: alias class -> sites that read it on the way, and the buffer as they named it.
        activities: names of the stored activities at which the walk stopped.
    """

    start: Site
    parents: dict[Site, Site | None]
    met: dict[str, list[tuple[Site, Buffer]]] = field(default_factory=dict)
    activities: set[str] = field(default_factory=set)

    def path(self, site: Site) -> list[Site]:
        """The sites from one that was met to the start of the walk: the way its value took."""
        way = [site]
        while self.parents[way[-1]] is not None:
            way.append(self.parents[way[-1]])
        return way


class Graph:
    """Sites and buffers of all phases of a rule, and which of them share memory.

    Args:
        plans: phase -> plan.
        alias: whether to look at the arrays, too; None of them is allocated otherwise.
    """

    def __init__(self, plans: Mapping[str, Plan], alias: Iterable[Buffer] | None = None):
        self.phases = {
            name: [Site(name, number, step, kind(step)) for number, step in enumerate(plan, 1)]
            for name, plan in plans.items()
        }
        self.sites = [site for sites in self.phases.values() for site in sites]
        self.bases = {b.base.name: b.base for s in self.sites for b in s.step.buffers.values()}
        self.aliases: list[tuple[Buffer, Buffer]] = []
        self._class = {name: name for name in self.bases}
        self._share(self.bases.values() if alias is None else alias)
        self._changers: dict[tuple[str, str], list[Site]] = {}  # (phase, alias class) -> sites that change some of it
        for site in self.sites:
            for name in {self.class_of(b) for b in site.step.changed.values()}:
                self._changers.setdefault((site.phase, name), []).append(site)
        self.forward = self._forward()

    def _share(self, buffers: Iterable[Buffer]) -> None:
        """Find buffers apart by declaration and one by memory."""
        buffers = list(buffers)
        for buffer in buffers:
            buffer.own_storage()  # an array of its own, or the one it was made to share
        arrays = sorted(((b, b.array) for b in buffers), key=lambda pair: _bounds(pair[1])[0])
        reach: list[tuple[Buffer, np.ndarray, int]] = []
        for buffer, array in arrays:
            low, high = _bounds(array)
            reach = [r for r in reach if r[2] > low]
            for other, held, _ in reach:
                if np.shares_memory(held, array):
                    self.aliases.append((other, buffer))
                    old, new = self._class[buffer.name], self._class[other.name]
                    self._class = {name: new if cls == old else cls for name, cls in self._class.items()}
            reach.append((buffer, array, high))

    def class_of(self, buffer: Buffer) -> str:
        """The name of everything that shares memory with a buffer."""
        return self._class[buffer.base.name]

    def members(self, name: str) -> list[Buffer]:
        """The buffers of an alias class."""
        return [b for b in self.bases.values() if self._class[b.name] == name]

    def makers(self, site: Site, buffer: Buffer) -> tuple[list[Site], bool]:
        """Sites whose result a site finds in a buffer, and whether some of it comes from before this batch."""
        found: list[Site] = []
        changers = {phase: self._changers.get((phase, self.class_of(buffer)), []) for phase in self.phases}
        if self._back([s for s in changers[site.phase] if s.number < site.number], buffer, found):
            return found, False
        for sites in changers.values():
            self._back(sites, buffer, found)
        return list(dict.fromkeys(found)), True

    def _back(self, sites: list[Site], buffer: Buffer, found: list[Site]) -> bool:
        """Walk back until all of it was overwritten; collect the steps that changed some of it on the way."""
        name, left = self.class_of(buffer), [span(buffer)]
        for site in reversed(sites):
            for argument, other in site.step.changed.items():
                if self.class_of(other) != name:
                    continue
                start, stop = span(other)
                if other.base is not buffer.base:
                    found.append(site)
                elif any(start < high and low < stop for low, high in left):
                    found.append(site)
                    if argument not in site.step.updates:
                        rest = [(low, min(high, start)) for low, high in left] + [(max(low, stop), high) for low, high in left]
                        left = [(low, high) for low, high in rest if low < high]
            if not left:
                return True
        return False

    def _forward(self) -> set[Site]:
        """Steps of the forward pass: activity that nothing but a stimulus caused, through forward weights or none."""
        forward: set[Site] = set()
        while True:
            more = {s for s in self.sites if s not in forward and self._transmits(s, forward)}
            if not more:
                return forward
            forward |= more

    def _transmits(self, site: Site, forward: set[Site]) -> bool:
        if site.kind not in ("see", "transmit", "respond"):
            return False
        driven = False
        for buffer in site.inputs.values():
            if buffer.role in FORWARD:
                continue
            makers, earlier = self.makers(site, buffer)
            if not makers and buffer.role in STIMULUS:
                driven = True
            elif not makers and buffer.role == "activity" and buffer.base.shape == (1,):
                continue  # the constant unit of a bias
            elif buffer.role in ("image", "activity", "noise", "gate") and makers and not earlier and forward.issuperset(makers):
                driven = True
            else:
                return False
        return driven

    def slice(self, start: Site, arguments: Iterable[str] | None = None) -> Slice:
        """Everything that the result of a site is made of, up to stored activities.

        Args:
            start: where to begin.
            arguments: of its step, where to begin; all it reads and updates if None.
        """
        found, queue = Slice(start, {start: None}), [start]
        for site in queue:  # grows while it is walked
            for argument, buffer in site.inputs.items():
                if site is start and arguments is not None and argument not in arguments:
                    continue
                found.met.setdefault(self.class_of(buffer), []).append((site, buffer))
                for maker in self.makers(site, buffer)[0]:
                    if maker in self.forward:
                        found.activities.add(self.class_of(buffer))
                    elif maker not in found.parents:
                        found.parents[maker] = site
                        queue.append(maker)
        return found


def _bounds(array: np.ndarray) -> tuple[int, int]:
    """First and last address of an array's memory."""
    first = array.__array_interface__["data"][0]
    steps = [(size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True)]
    return first + sum(s for s in steps if s < 0), first + sum(s for s in steps if s > 0) + array.itemsize


def span(buffer: Buffer) -> tuple[int, int]:
    """Which elements of its base a buffer shows."""
    start = buffer.start * math.prod(buffer.base.shape[1:])
    return start, start + math.prod(buffer.shape)
