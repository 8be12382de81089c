"""Probes: what one unit of error above delivers below, and what one unit of activity below sends above; both are measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.graph.kinds import builtin
from neurosim.audit.interventions.arrays import rows_of
from neurosim.audit.interventions.trial import Trial, has_rows
from neurosim.core.kernel import Kind

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench, StepRun
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array

MOST = 400  # presynaptic units that are asked


@dataclass(frozen=True, eq=False)
class Passage:
    """A step by which activity goes up, and what goes by it.

    Args:
        site: the step.
        pre, post: argument -> of activity below, and of what arrives above.
        weight: that carries it.
    """

    site: Site
    pre: str
    post: str
    weight: Buffer


def passages(bench: Bench) -> Iterator[Passage]:
    """Every step of the forward pass that sends activity through weights."""
    for site in bench.graph.sites:
        weights = [b for b in site.inputs.values() if b.role.is_weight and b.base.array.size > 1]
        pre = [k for k, b in site.step.reads.items() if has_rows(b) and b.dtype.kind == "f"]
        post = [k for k, b in site.step.changed.items() if has_rows(b) and b.dtype.kind == "f"]
        if site in bench.graph.forward and len(weights) == 1 and pre and post:
            yield Passage(site, pre[0], post[0], weights[0].base)


def units(buffer: Buffer) -> int:
    """Units of a row."""
    return int(np.prod(buffer.shape[1:]))


# -- which units are asked


def chosen(passage: Passage, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Units above and units below, numbered within a row: of maps one place and its neighbours, else some at random."""
    pre, post = (passage.site.step.buffers[k].shape[1:] for k in (passage.pre, passage.post))
    above, below = np.arange(int(np.prod(post))), np.arange(int(np.prod(pre)))
    if len(pre) == 3 and len(post) >= 3:
        pooled = len(post) == 4
        rows, columns = post[-3:-1]
        place = rows // 2, columns // 2
        first = [0] * pooled
        above = np.array([np.ravel_multi_index((*first, *place, o), post) for o in range(post[-1])])
        near = place[0] * pre[0] // rows, place[1] * pre[1] // columns
        inside = np.indices(pre)
        below = below.reshape(pre)[(abs(inside[0] - near[0]) <= 1) & (abs(inside[1] - near[1]) <= 1)]
    return _some(above, count, rng), _some(below, MOST, rng)


def _some(numbers: Array, count: int, rng: np.random.Generator) -> Array:
    return np.sort(rng.permutation(numbers)[:count]) if len(numbers) > count else numbers


# -- what is sent up


def sent(bench: Bench, passage: Passage, run: StepRun, above: Array, below: Array, weight: Array | None) -> Array:
    """``(above, below)``: what every unit above gets of one unit of activity below; ``weight`` in place of the run's."""
    trial = Trial(bench, run, np.random.default_rng(0))
    given = dict(trial.given)
    if weight is not None:
        argument, shown = next((k, b) for k, b in passage.site.inputs.items() if b.base is passage.weight)
        given[argument] = rows_of(shown, {passage.weight.name: weight})
    rows = len(given[passage.pre])
    found = np.zeros((len(above), len(below)))
    for start in range(0, len(below), rows):
        part = below[start : start + rows]
        ways = []
        for sign in (1, -1):
            activity = np.zeros((rows, units(passage.site.step.buffers[passage.pre])), given[passage.pre].dtype)
            activity[np.arange(len(part)), part] = sign
            given[passage.pre] = activity.reshape(trial.given[passage.pre].shape)
            ways.append(trial.run(given)[passage.post].reshape(rows, -1)[: len(part), above].astype(float))
        found[:, start : start + len(part)] = ((ways[0] - ways[1]) / 2).T
    return found


# -- what is delivered down


def _names(groups: Iterable[Mapping[str, Buffer]]) -> set[str]:
    """Of the stored arrays in some groups of buffers."""
    return {buffer.base.name for group in groups for buffer in group.values()}


class Descent:
    """The steps of one batch after an error was made, run again with other errors in its place.

    Args:
        bench: recorded.
        run: that made the error.
        source: the error.
        weights: name -> values in place of those that the batch found; empty: its own.
        many: units of the results that are looked at; nothing runs after the last step that leaves some.
    """

    def __init__(self, bench: Bench, run: StepRun, source: Buffer, weights: Mapping[str, Array], many: int):
        self.bench, self.source, self.many = bench, source, many
        number = bench.runs.index(run)
        later = [r for r in bench.runs[number + 1 :] if r.site.phase == run.site.phase and r.batch == run.batch]
        learns = [r for r in later if builtin(r.site.step) and r.site.kind in (Kind.PLASTICITY, Kind.HEBBIAN)]
        self.runs = [r for r in later if r not in set(learns)]
        self.runs = self.runs[: max((n for n, r in enumerate(self.runs, 1) if self._results(r)), default=0)]
        self._held = {r for r in self.runs if r.site in bench.graph.forward}
        if not self.runs:
            return
        self.before = bench.state_after(run, {source.base.name, *_names(r.site.step.buffers for r in self.runs)})
        others = {k: v for k, v in weights.items() if k in self.before and not np.array_equal(v, self.before[k])}
        self.before |= others
        if all(builtin(r.site.step) for r in later) and not bench.graph.aliases:
            self._leave_out({source.base.name, *others, *_names(r.site.step.changed for r in learns)})
        sites = [r.site for r in self.runs]
        self.bases = {b.base.name: b.base for s in sites for b in s.step.buffers.values()}
        self.bases[source.base.name] = source.base
        changed = {source.base.name, *_names(s.step.changed for s in sites)}
        self._changed = {name: base for name, base in self.bases.items() if name in changed}
        self.size = float(np.abs(rows_of(source, self.before)).max()) or 1.0
        self.scale = self.size if np.isfinite(self.size) else 1.0

    def _leave_out(self, moved: set[str]) -> None:
        """Hold what leaves the same whatever the error is, and leave out what nothing that is looked at is made of.

        Only of kernels that touch what they declare: what others read nobody knows.

        Args:
            moved: names of what is not as it was when the batch was recorded.
        """
        for run in self.runs:
            if run not in self._held and _names([run.site.inputs]) & moved:
                moved |= _names([run.site.step.changed])
            else:
                self._held.add(run)
        needed, used = set[str](), list["StepRun"]()
        for run in reversed(self.runs):
            results = run not in self._held and self._results(run)
            if results or _names([run.site.step.changed]) & needed:
                used.append(run)
                needed |= _names([run.site.step.changed if run in self._held else run.site.step.buffers])
        self.runs = used[::-1]

    def _results(self, run: StepRun) -> list[Buffer]:
        """What a step leaves that has as many units as are looked at."""
        left = run.site.step.changed.values() if run.site not in self.bench.graph.forward else ()
        return [b for b in left if has_rows(b) and b.dtype.kind == "f" and units(b) == self.many]

    def delivered(self, errors: Array, below: Array) -> dict[str, list[Array]]:
        """What errors ``(row, unit)`` of the source leave in some units: name of a result -> what every step left in it."""
        for name, base in self._changed.items():
            base.array[...] = self.before[name]
        self.source.array[...] = errors.reshape(self.source.shape)
        left: dict[str, list[Array]] = {}
        for run in self.runs:
            if run in self._held:
                for argument, buffer in run.site.step.changed.items():
                    buffer.array[...] = self.bench.after[run][argument]
                continue
            self.bench.run(run.site)
            for b in self._results(run):
                left.setdefault(b.base.name, []).append(b.array.reshape(len(b.array), -1)[:, below].astype(float))
        return left

    def maps(self, above: Array, below: Array) -> dict[tuple[str, int], Array]:
        """(result, which step left it) -> ``(above, below)``: what one unit of error above delivers to units below."""
        rows, many = self.source.shape[0], units(self.source)
        for name, base in self.bases.items():
            base.array[...] = self.before[name]
        found: dict[tuple[str, int], list[Array]] = {}
        for start in range(0, len(above), rows):
            part = above[start : start + rows]
            errors = np.zeros((rows, many), self.source.dtype)
            errors[np.arange(len(part)), part] = self.scale
            one, other = self.delivered(errors, below), self.delivered(-errors, below)
            for name, lefts in one.items():
                for n, left in enumerate(lefts):
                    if len(left) == rows:
                        apart = (left - other[name][n])[: len(part)] / (2 * self.scale)
                        found.setdefault((name, n), []).append(apart)
        for name, base in self.bases.items():
            base.array[...] = self.bench.start[name]
        return {key: np.concatenate(parts) for key, parts in found.items()}
