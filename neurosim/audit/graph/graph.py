"""The graph of plans: what every value is made of, step by step, batch after batch, by declarations and memory alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.graph.kinds import kind
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.core.plan import Plan
    from neurosim.core.step import Step
    from neurosim.core.typing import Array

PER_ROW = ("sample", "moment", "moment_stored")  # axes of which a row is one view or one moment
CARRIED = (Role.IMAGE, Role.ACTIVITY, Role.NOISE, Role.GATE)  # roles by which the forward pass goes from step to step


@dataclass(eq=False)
class Site:
    """A step at its place.

    Args:
        phase: of which plan.
        number: in it, from 1, as `neurosim explain` prints it.
        step: itself.
        kind: what it does, as declared by a kernel of this package, else judged by roles until it is measured.
    """

    phase: str
    number: int
    step: Step
    kind: Kind

    def __str__(self) -> str:
        return f"step {self.number} of {self.phase!r} ({self.step.label})"

    @property
    def inputs(self) -> dict[str, Buffer]:
        """Argument name -> buffer whose value matters to what the step leaves."""
        return {**self.step.reads, **self.step.updates}

    @property
    def result(self) -> Buffer:
        """The first buffer that the step changes."""
        return next(iter(self.step.changed.values()))

    def changes(self, base: Buffer) -> bool:
        """Whether the step may change some of a buffer's memory."""
        return any(b.base is base for b in self.step.changed.values())


@dataclass
class Slice:
    """What a value is made of: a walk back from one site, that stops at activity that a stimulus caused.

    Args:
        start: where the walk began.
        parents: site -> the site that asked for its result.
        uses: alias class -> sites that read it on the way, and the buffer as they named it.
        activities: names of the stored activities at which the walk stopped.
    """

    start: Site
    parents: dict[Site, Site | None]
    uses: dict[str, list[tuple[Site, Buffer]]] = field(default_factory=dict)
    activities: set[str] = field(default_factory=set)

    def path(self, site: Site) -> list[Site]:
        """The sites from one on the walk to its start: the way its value took."""
        way = [site]
        while (parent := self.parents[way[-1]]) is not None:
            way.append(parent)
        return way


class Graph:
    """Sites and buffers of all phases of a rule, and which of them share memory.

    Args:
        plans: phase -> plan.
        alias: the buffers whose memory is examined; None: all of them; none of the others is allocated.

    Attributes:
        phases: phase -> its sites in order.
        sites: all of them.
        bases: name -> buffer that owns memory.
        aliases: pairs of buffers that are declared apart and share memory.
        forward: sites of the forward pass.
        carries: names of arrays that carry activity in the forward pass, whatever role they are declared to have.
        declared: name -> declared role, of arrays that were found to have another.
    """

    def __init__(self, plans: Mapping[str, Plan], alias: Iterable[Buffer] | None = None):
        self.phases = {
            name: [Site(name, number, step, kind(step)) for number, step in enumerate(plan, 1)]
            for name, plan in plans.items()
        }
        self.sites = [site for sites in self.phases.values() for site in sites]
        self.bases: dict[str, Buffer] = {b.base.name: b.base for s in self.sites for b in s.step.buffers.values()}
        self.aliases: list[tuple[Buffer, Buffer]] = []
        self._class = {name: name for name in self.bases}
        self._find_aliases(self.bases.values() if alias is None else alias)
        self._changers: dict[tuple[str, str], list[Site]] = {}  # (phase, alias class) -> sites that change some of it
        for site in self.sites:
            for name in {self.class_of(b) for b in site.step.changed.values()}:
                self._changers.setdefault((site.phase, name), []).append(site)
        self.carries: set[str] = set()
        self.declared: dict[str, Role] = {}
        self.forward = self._forward()

    def _find_aliases(self, buffers: Iterable[Buffer]) -> None:
        """Find buffers apart by declaration and one by memory."""
        buffers = list(buffers)
        for buffer in buffers:
            buffer.own_storage()  # an array of its own, or the one it was made to share
        arrays = sorted(((b, b.array) for b in buffers), key=lambda pair: _bounds(pair[1])[0])
        reach: list[tuple[Buffer, Array, int]] = []
        for buffer, array in arrays:
            low, high = _bounds(array)
            reach = [r for r in reach if r[2] > low]
            for other, earlier, _ in reach:
                if np.shares_memory(earlier, array):
                    self.aliases.append((other, buffer))
                    old, new = self._class[buffer.name], self._class[other.name]
                    self._class = {name: new if cls == old else cls for name, cls in self._class.items()}
            reach.append((buffer, array, high))

    def class_of(self, buffer: Buffer) -> str:
        """The name of everything that shares memory with a buffer."""
        return self._class[buffer.base.name]

    def is_forward_weight(self, buffer: Buffer) -> bool:
        """Whether feedback must not be made of an array."""
        return buffer.role.is_forward or buffer.base.name in self.carries

    def members(self, name: str) -> list[Buffer]:
        """The buffers of an alias class."""
        return [b for b in self.bases.values() if self._class[b.name] == name]

    def makers(self, site: Site, buffer: Buffer) -> tuple[list[Site], bool]:
        """Sites whose result a site finds in a buffer, and whether some of it comes from before this batch."""
        found: list[Site] = []
        changers = {phase: self._changers.get((phase, self.class_of(buffer)), []) for phase in self.phases}
        if self._walk_back([s for s in changers[site.phase] if s.number < site.number], buffer, found):
            return found, False
        for sites in changers.values():
            self._walk_back(sites, buffer, found)
        return list(dict.fromkeys(found)), True

    def _walk_back(self, sites: list[Site], buffer: Buffer, found: list[Site]) -> bool:
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
                        rest = [(low, min(high, start)) for low, high in left]
                        rest += [(max(low, stop), high) for low, high in left]
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

    def refine(self, forward: set[Site], carries: set[str], kinds: Mapping[Site, Kind]) -> None:
        """Take what was measured in place of what was declared.

        Args:
            forward: sites of the forward pass.
            carries: names of arrays that carry activity in it.
            kinds: site -> what it does.
        """
        self.forward, self.carries = set(forward), set(carries)
        for site, measured in kinds.items():
            site.kind = measured

    def believe(self, roles: Mapping[str, Role]) -> None:
        """Take the roles that arrays were found to have in place of declared ones, until `as_declared`."""
        for name in roles:
            self.declared.setdefault(name, self.bases[name].role)
        self._set_roles(roles)
        for site in self.sites:
            if {b.base.name for b in site.step.buffers.values()} & roles.keys() and site not in self.forward:
                site.kind = kind(site.step)

    def as_declared(self) -> None:
        """Give every array the role back that it is declared to have."""
        self._set_roles(self.declared)
        self.declared = {}

    def _set_roles(self, roles: Mapping[str, Role]) -> None:
        for buffer in (*self.bases.values(), *(b for s in self.sites for b in s.step.buffers.values())):
            buffer.role = roles.get(buffer.base.name, buffer.role)

    def adopt(self, other: Graph) -> None:
        """Take what was measured of the same plans on smaller arrays, where every step has its twin."""
        twins = {(s.phase, s.number, s.step.label): s for s in self.sites}
        pairs = {s: twins.get((s.phase, s.number, s.step.label)) for s in other.sites}
        if len(twins) == len(pairs) and None not in pairs.values():
            mine = {s: t for s, t in pairs.items() if t is not None}
            self.refine({mine[s] for s in other.forward}, other.carries, {t: s.kind for s, t in mine.items()})

    def _transmits(self, site: Site, forward: set[Site]) -> bool:
        """Whether a site belongs to the forward pass, given sites that do."""
        if site.kind not in (Kind.SEE, Kind.TRANSMIT, Kind.RESPOND):
            return False
        driven = False
        for buffer in site.inputs.values():
            if buffer.role.is_forward:
                continue
            makers, earlier = self.makers(site, buffer)
            if not makers and buffer.role.is_stimulus:
                driven = True
            elif not makers and buffer.role is Role.ACTIVITY and buffer.base.shape == (1,):
                continue  # the constant unit of a bias
            elif buffer.role in CARRIED and makers and not earlier and forward.issuperset(makers):
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
                found.uses.setdefault(self.class_of(buffer), []).append((site, buffer))
                for maker in self.makers(site, buffer)[0]:
                    if maker in self.forward:
                        found.activities.add(self.class_of(buffer))
                    elif maker not in found.parents:
                        found.parents[maker] = site
                        queue.append(maker)
        return found


def _bounds(array: Array) -> tuple[int, int]:
    """First and last address of an array's memory."""
    first: int = array.__array_interface__["data"][0]
    steps = [(size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True)]
    return first + sum(s for s in steps if s < 0), first + sum(s for s in steps if s > 0) + array.itemsize


def span(buffer: Buffer) -> tuple[int, int]:
    """Which elements of its base a buffer shows."""
    start: int = buffer.start * math.prod(buffer.base.shape[1:])
    return start, start + math.prod(buffer.shape)
