"""Locality by intervention: what came later, what is long past, and one unit at a time."""

from __future__ import annotations

import numpy as np

from neurosim.audit.answers import Evidence
from neurosim.audit.graph.graph import Site, known
from neurosim.audit.graph.structure import TIME
from neurosim.audit.interventions.bench import Bench, Difference, Moment, poison
from neurosim.core.buffer import Buffer


class Locality:
    """Asks a bench whether changes know only their own two units, at their own time.

    Args:
        bench: recorded.
        evidence: to which the answers are added.
        rng: of the numbers put in place of others.
    """

    def __init__(self, bench: Bench, evidence: Evidence, rng: np.random.Generator):
        self.bench, self.evidence, self.rng, self.graph = bench, evidence, rng, bench.graph
        self.rule, self.pairs = bench.subject.rule, bench.subject.rule.network.pairs
        self.hebbian = [s for s in self.graph.sites if s.kind == "hebbian"]

    def testify(self) -> None:
        """All answers on condition (i) that take many runs."""
        self.moments()
        self._memory()
        self._units()

    def moments(self) -> None:
        """The last moment's views replaced: nothing that came before may learn otherwise.

        Where the plan declares that all moments of a batch are compared, their errors may: that is told, and the rest is
        asked again with these errors held. Weights are held throughout: that a batch's changes are summed is assumed.
        """
        if self.rule.network.populations[0].views != 2 * self.pairs:
            self.evidence.remarks.append(f"{TIME} the rows of a batch are parts of pictures, and all of them are compared at once")
            return
        settled = frozenset(s for s in self.graph.sites if s.kind in ("plasticity", "count"))
        open_ones = frozenset(s for s in self.graph.sites if s.kind == "compare" and any(
            b.axes[0] == "moment_stored" and b.role in ("activity", "error") for b in s.step.buffers.values()))  # fmt: skip
        for view in (0, 1):
            early = self._earlier(view, settled)
            if early and open_ones:
                self.evidence.remarks.append(f"{TIME} {_told(view, self.pairs, early)}: the moments of a batch are compared "
                                              "as if all of them were remembered until the last has come")  # fmt: skip
                early = self._earlier(view, settled | open_ones)
            if early:
                self.evidence.find("i", _told(view, self.pairs, early))
        held = " (the declared comparison of all moments held)" if self.evidence.remarks else ""
        self.evidence.see("i", f"the last moment's activities replaced: no error of an earlier view differs{held}")

    def _earlier(self, view: int, also: frozenset[Site]) -> dict[str, int]:
        """Errors of which a row that came earlier differs: name -> when."""
        early: dict[str, int] = {}
        for difference in self.bench.replay(self._strange(view), batches=1, also=also):
            for name, (buffer, mask) in difference.buffers.items():
                times = self._times(buffer, mask) if self._heard(buffer) else []
                if times and times[0] < 2 * (self.pairs - 1) + view:
                    early.setdefault(name, times[0])
        return early

    def _strange(self, view: int):
        """Other activities of the last moment, in one of its views."""
        row = (view + 1) * self.pairs - 1

        def change(moment):
            if moment is None or moment.site not in self.graph.forward:
                return
            for key, buffer in moment.site.step.changed.items():
                if buffer.axes[0] == "sample" and buffer.shape[0] == 2 * self.pairs and buffer.dtype.kind == "f":
                    size = 3 * np.abs(self.bench.after[moment][key]).max()
                    buffer.array[row] = self.rng.uniform(-size, size, buffer.shape[1:])

        return change

    def _heard(self, buffer: Buffer) -> bool:
        """Whether a synapse learns from these rows of an error."""
        return any(b.base is buffer.base and b.start < buffer.start + buffer.shape[0] and buffer.start < b.start + b.shape[0]
                   for s in self.hebbian for b in s.step.reads.values() if b.role == "error")  # fmt: skip

    def _times(self, buffer: Buffer, mask: np.ndarray) -> list[int]:
        """When the rows that differ were seen: 2 x moment + (0 for view 1, 1 for view 2)."""
        rows = np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1)) + buffer.start
        if len(buffer.base.array) == 2 * self.pairs:
            return sorted(int(2 * (r % self.pairs) + r // self.pairs) for r in rows)
        return sorted(int(2 * r + 1) for r in rows) if len(buffer.base.array) == self.pairs else []

    def _memory(self) -> None:
        """What lies in the memory beyond its lags is NaN before the second batch: nothing may differ."""
        lags = self.rule.loss.lags
        stores = [s for s in self.graph.sites if s.kind == "store"]
        rings = {b.base.name: (b.base, c.base) for s in stores for b in s.step.updates.values()
                 for c in s.step.updates.values() if b.dtype.kind == "f" and c.dtype.kind == "i"}  # fmt: skip
        if not rings or lags is None:
            return
        last = [m for m in self.bench.moments if m.batch == 0][-1]

        def change(moment: Moment | None):
            if moment is not last:
                return
            for trace, cursor in rings.values():
                stored, capacity = int(cursor.array[0]), len(trace.array)
                kept = {m % capacity for m in range(max(0, stored - (lags - 1)), stored)}
                for row in set(range(capacity)) - kept:
                    poison(trace.array[row])

        for difference in self.bench.replay(change):
            names = [n for n, (b, _) in difference.buffers.items() if b.role != "memory"]
            if names:
                self.evidence.find("i", f"memory older than {lags} lags replaced: {names[0]} differs at {difference.moment.site}")
                break
        self.evidence.see("i", f"{', '.join(rings)}: what is older than {lags} lags replaced by NaN: no bit differs")

    def _units(self) -> None:
        """One unit of each stored activity changed, all else held: which changes may differ follows from who touches it."""
        stored = {b.base.name: (s, k, b.base) for s in self.graph.sites if s in self.graph.forward and s.kind != "see"
                  for k, b in s.step.changed.items() if b.role == "activity" and b.dtype.kind == "f" and not b.local}  # fmt: skip
        for name, (site, _, base) in stored.items():
            index = self._open_unit(name, base)

            def change(moment, site=site, base=base, index=index):
                if moment is not None and moment.site is site:
                    base.array[index] *= base.dtype.type(0.75)

            for difference in self.bench.replay(change, batches=1):
                self._touched(difference, base, index)
        self.evidence.see("i", f"one unit of {', '.join(stored)} changed in turn: only synapses on it differ, and those that "
                                "its error reaches through declared feedback")  # fmt: skip

    def _open_unit(self, name: str, base: Buffer) -> tuple[int, ...]:
        """A unit of a learning view that is active."""
        made = [v for m in self.bench.moments for k, v in self.bench.after[m].items()
                if m.batch == 0 and m.site.step.changed[k].base.name == name and len(v) == len(base.array)]  # fmt: skip
        row = min(self.pairs, len(base.array) - 1)
        size = np.abs(made[-1][row])
        place = np.argmin(np.abs(np.where(size > 0, size, np.inf) - np.median(size[size > 0]))) if size.any() else 0
        return (row, *(int(i) for i in np.unravel_index(int(place), size.shape)))

    def _touched(self, difference: Difference, base: Buffer, index: tuple[int, ...]) -> None:
        site = difference.moment.site
        if site.kind != "hebbian" or not any(b.role in ("activity", "image", "error") for b in site.step.reads.values()):
            return  # a change that is made of no activity is the structure's business
        for name, (buffer, mask) in difference.buffers.items():
            allowed = self._allowed(site, buffer, base, index)
            if (mask.reshape(buffer.shape) & ~allowed).any():
                self.evidence.find("i", f"one unit of {base.name} changed: {name} differs at synapses that do not touch it, "
                                         f"in {site}")  # fmt: skip

    def _allowed(self, site: Site, change: Buffer, base: Buffer, index: tuple[int, ...]) -> np.ndarray:
        """Where a change may differ when one unit of an activity does, as declared."""
        allowed, cls = np.zeros(change.shape, bool), self.graph.class_of(base)
        unit = int(np.ravel_multi_index(index[1:], base.shape[1:])) if len(change.shape) == 2 else index[-1]
        for argument, buffer in site.step.reads.items():
            if buffer.role == "error":
                walk = self.graph.slice(site, [argument])
                readers = [s for s, _ in walk.met.get(cls, [])]
                gates = [known(s.step) and s.kind == "gate" and b.owner == buffer.owner
                         for s in readers for b in s.step.changed.values()]  # fmt: skip
                if readers and all(gates):
                    allowed[..., index[-1]] = True
                elif readers:
                    allowed[...] = True
            elif self.graph.class_of(buffer) == cls:
                allowed[..., unit, :] = True
        return allowed


def _told(view: int, pairs: int, early: dict[str, int]) -> str:
    name, time = next(iter(early.items()))
    more = f" (and {', '.join(list(early)[1:])})" if len(early) > 1 else ""
    return (f"view {view + 1} of moment {pairs} replaced: {name} of view {time % 2 + 1} of moment {time // 2 + 1}, which came "
            f"before, differs{more}")  # fmt: skip
