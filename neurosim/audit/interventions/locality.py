"""Locality by intervention: what came later, what is long past, and one unit at a time."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.depth import Part, asked
from neurosim.audit.evidence import Grade
from neurosim.audit.graph.kinds import builtin
from neurosim.audit.graph.structure import TIME
from neurosim.audit.interventions.arrays import poison
from neurosim.audit.interventions.changes import measured
from neurosim.audit.interventions.products import pair_of
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench, Change, Difference, StepRun
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array


class Locality:
    """Asks a bench whether changes know only their own two units, at their own time.

    Args:
        bench: recorded.
        evidence: to which the answers are added.
        rng: of the numbers put in place of others.
    """

    def __init__(self, bench: Bench, evidence: Evidence, rng: np.random.Generator):
        self.bench, self.evidence, self.rng, self.graph = bench, evidence, rng, bench.graph
        self.rule, self.pairs = bench.target.rule, bench.target.rule.network.pairs
        self.hebbian = [s for s in self.graph.sites if s.kind is Kind.HEBBIAN]

    def answer(self, light: bool = False) -> None:
        """All answers to condition (i) that take many runs.

        Args:
            light: of the short audit.
        """
        self.moments()
        if asked(Part.MEMORY, light):
            self._memory()
        if asked(Part.UNITS, light):
            self._units()

    # -- moments to come

    def moments(self) -> None:
        """The last moment's views replaced: nothing that came before may learn otherwise.

        Where the plan declares that all moments of a batch are compared, or where a number that all share was measured, their
        errors may: that lowers the grade, and the rest is asked again with these errors held. Weights are held throughout:
        that a batch's changes are summed is assumed.
        """
        remarks = self.evidence.remarks
        if self.rule.network.populations[0].views != 2 * self.pairs:
            if any(s.kind is Kind.COMPARE for s in self.graph.sites):
                self._over_a_batch("the rows of a batch are parts of pictures, and all of them are compared at once")
            return
        held = frozenset(s for s in self.graph.sites if s.kind in (Kind.PLASTICITY, Kind.COUNT)) | self._shared()
        declared = frozenset(s for s in self.graph.sites if _compares_all(s))
        for phase, view in product(self.graph.phases, (0, 1)):
            early = self._earlier(phase, view, held)
            if early and declared:
                self._over_a_batch(
                    f"{_described(view, self.pairs, early)}: the moments of a batch are compared "
                    "as if all of them were remembered until the last has come"
                )
                early = self._earlier(phase, view, held | declared)
            if early:
                self.evidence.add_finding("i", _described(view, self.pairs, early))
        note = " (the declared comparison of all moments held)" if remarks else ""
        text = f"the last moment's activities replaced: no error of an earlier view differs{note}"
        self.evidence.add_check("i", text)

    def _over_a_batch(self, text: str) -> None:
        self.evidence.remarks.append(f"{TIME} {text}")
        self.evidence.lower_grade(Grade.OVER_A_BATCH, text)

    def _shared(self) -> frozenset[Site]:
        """Steps of others in which rows or units were measured to share a number: the grade says so already."""
        known = measured(self.bench)
        found = {**known.synaptic, **known.units}.items()
        sharing = {site for site, d in found if not d.elsewhere and (d.scalars or d.batch)}
        return frozenset(sharing) | {site for site, d in known.forward.items() if d.batch}

    def _earlier(self, phase: str, view: int, also: frozenset[Site]) -> dict[str, int]:
        """Errors of one phase of which a row that came earlier differs: name -> when."""
        early: dict[str, int] = {}
        for difference in self.bench.replay(self._other_activities(phase, view), batches=1, also=also):
            if difference.run.batch or difference.run.site.phase != phase:
                continue  # what one phase left is long past in the next
            for name, (buffer, mask) in difference.buffers.items():
                times = self._times(buffer, mask) if self._is_learned_from(buffer) else []
                if times and times[0] < 2 * (self.pairs - 1) + view:
                    early.setdefault(name, times[0])
        return early

    def _other_activities(self, phase: str, view: int) -> Change:
        """Other activities of the last moment of a phase, in one of its views."""
        row = (view + 1) * self.pairs - 1

        def change(run: StepRun | None) -> None:
            if run is None or run.site not in self.graph.forward or run.site.phase != phase:
                return
            for argument, buffer in run.site.step.changed.items():
                if buffer.axes[0] == "sample" and buffer.shape[0] == 2 * self.pairs and buffer.dtype.kind == "f":
                    size = 3 * np.abs(self.bench.after[run][argument]).max()
                    buffer.array[row] = self.rng.uniform(-size, size, buffer.shape[1:])

        return change

    def _is_learned_from(self, buffer: Buffer) -> bool:
        """Whether a synapse learns from these rows of an error."""
        errors = [b for s in self.hebbian for b in s.step.reads.values() if b.role is Role.ERROR]
        return any(
            b.base is buffer.base and b.start < buffer.start + buffer.shape[0] and buffer.start < b.start + b.shape[0]
            for b in errors
        )

    def _times(self, buffer: Buffer, mask: Array) -> list[int]:
        """When the rows that differ were seen: 2 x moment + (0 for view 1, 1 for view 2)."""
        rows = np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1)) + buffer.start
        if len(buffer.base.array) == 2 * self.pairs:
            return sorted(int(2 * (r % self.pairs) + r // self.pairs) for r in rows)
        return sorted(int(2 * r + 1) for r in rows) if len(buffer.base.array) == self.pairs else []

    # -- moments long past

    def _memory(self) -> None:
        """What lies in the memory beyond its lags is NaN before the second batch: nothing may differ."""
        lags, rings = self.rule.loss.lags, self._rings()
        if not rings or lags is None:
            return
        last = [run for run in self.bench.runs if run.batch == 0][-1]

        def change(run: StepRun | None) -> None:
            if run is not last:
                return
            for trace, cursor in rings.values():
                stored, capacity = int(cursor.array[0]), len(trace.array)
                kept = {m % capacity for m in range(max(0, stored - (lags - 1)), stored)}
                for row in set(range(capacity)) - kept:
                    poison(trace.array[row])

        for difference in self.bench.replay(change, poisoned=True):
            names = [n for n, (b, _) in difference.buffers.items() if b.role is not Role.MEMORY]
            if names:
                text = f"memory older than {lags} lags replaced: {names[0]} differs at {difference.run.site}"
                self.evidence.add_finding("i", text)
                break
        text = f"{', '.join(rings)}: what is older than {lags} lags replaced by NaN: no bit differs"
        self.evidence.add_check("i", text)

    def _rings(self) -> dict[str, tuple[Buffer, Buffer]]:
        """Every short-term memory: name -> its trace and its cursor."""
        return {
            trace.base.name: (trace.base, cursor.base)
            for site in self.graph.sites
            if site.kind is Kind.STORE
            for trace in site.step.updates.values()
            for cursor in site.step.updates.values()
            if trace.dtype.kind == "f" and cursor.dtype.kind == "i"
        }

    # -- one unit

    def _units(self) -> None:
        """One unit of each stored activity changed, all else held: which changes may differ follows from who touches it."""
        stored = self._stored_activities()
        for name, (site, base) in stored.items():
            index = self._active_unit(name, base)

            def change(
                run: StepRun | None, site: Site = site, base: Buffer = base, index: tuple[int, ...] = index
            ) -> None:
                if run is not None and run.site is site:
                    base.array[index] *= base.dtype.type(0.75)

            for difference in self.bench.replay(change, batches=1):
                self._touched(difference, base, index)
        self.evidence.add_check(
            "i",
            f"one unit of {', '.join(stored)} changed in turn: only synapses on it differ, and those that "
            "its error reaches through declared feedback",
        )

    def _stored_activities(self) -> dict[str, tuple[Site, Buffer]]:
        """Activities that last through a batch: name -> the last site that makes it, and its base."""
        return {
            b.base.name: (site, b.base)
            for site in self.graph.sites
            if site in self.graph.forward and site.kind is not Kind.SEE
            for b in site.step.changed.values()
            if b.role is Role.ACTIVITY and b.dtype.kind == "f" and not b.local
        }

    def _active_unit(self, name: str, base: Buffer) -> tuple[int, ...]:
        """A unit of a learning view that is active."""
        made = [
            values.reshape(base.shape)  # a step may leave it as a flat view
            for run in self.bench.runs
            for argument, values in self.bench.after[run].items()
            if run.batch == 0 and run.site.step.changed[argument].base.name == name and len(values) == len(base.array)
        ]
        row = min(self.pairs, len(base.array) - 1)
        size = np.abs(made[-1][row])
        if not size.any():
            return (row, *(0 for _ in size.shape))
        place = np.argmin(np.abs(np.where(size > 0, size, np.inf) - np.median(size[size > 0])))
        return (row, *(int(i) for i in np.unravel_index(int(place), size.shape)))

    def _touched(self, difference: Difference, base: Buffer, index: tuple[int, ...]) -> None:
        """A change may differ at the synapses that the unit belongs to, or that its error reaches."""
        site = difference.run.site
        made_of = {b.role for b in site.step.reads.values()}
        if site.kind is not Kind.HEBBIAN or not made_of & {Role.ACTIVITY, Role.IMAGE, Role.ERROR}:
            return  # a change that is made of no activity is the structure's business
        if site in measured(self.bench).synaptic:
            return  # a kernel of somebody else's: every unit was altered already
        for name, (buffer, mask) in difference.buffers.items():
            allowed = self._allowed(site, buffer, base, index)
            if (mask.reshape(buffer.shape) & ~allowed).any():
                text = f"one unit of {base.name} changed: {name} differs at synapses that do not touch it, in {site}"
                self.evidence.add_finding("i", text)

    def _allowed(self, site: Site, change: Buffer, base: Buffer, index: tuple[int, ...]) -> Array:
        """Where a change may differ when one unit of an activity does, as declared."""
        allowed, cls, pair = np.zeros(change.shape, bool), self.graph.class_of(base), pair_of(site)
        unit = int(np.ravel_multi_index(index[1:], base.shape[1:])) if len(change.shape) == 2 else index[-1]
        for argument, buffer in site.step.reads.items():
            if buffer.role is Role.ERROR:
                readers = [s for s, _ in self.graph.slice(site, [argument]).uses.get(cls, [])]
                gates = [
                    builtin(s.step) and s.kind is Kind.GATE and b.owner == buffer.owner
                    for s in readers
                    for b in s.step.changed.values()
                ]
                if readers and all(gates):
                    allowed[..., index[-1]] = True
                elif readers:
                    allowed[...] = True
            elif self.graph.class_of(buffer) == cls:
                side = (..., unit) if pair is not None and buffer is pair[1] else (..., unit, slice(None))
                allowed[side] = True
            elif buffer.role is Role.MEMORY and cls in self.graph.slice(site, [argument]).uses:
                allowed[..., unit, :] = True  # a trace of the unit's activity
        return allowed


def _compares_all(site: Site) -> bool:
    """Whether a comparison is declared to use all moments of a batch."""
    whole = [b for b in site.step.buffers.values() if b.axes[0] == "moment_stored"]
    return site.kind is Kind.COMPARE and any(b.role in (Role.ACTIVITY, Role.ERROR) for b in whole)


def _described(view: int, pairs: int, early: dict[str, int]) -> str:
    name, time = next(iter(early.items()))
    more = f" (and {', '.join(list(early)[1:])})" if len(early) > 1 else ""
    return (
        f"view {view + 1} of moment {pairs} replaced: {name} of view {time % 2 + 1} of moment {time // 2 + 1}, which came "
        f"before, differs{more}"
    )
