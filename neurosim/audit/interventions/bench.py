"""The bench: a rule's phases run step by step, recorded, and run again with the forward pass held."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.finite import require_finite, unfit
from neurosim.audit.graph.kinds import Function, builtin, callable_of
from neurosim.audit.interventions.arrays import bits, is_poisoned, poison, rows_of
from neurosim.audit.interventions.forward import ForwardPass
from neurosim.audit.interventions.places import Place, chosen, counts
from neurosim.audit.interventions.roles import DerivedRoles
from neurosim.audit.single import SingleStep
from neurosim.core import workspace
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph, Site
    from neurosim.audit.interventions.changes import Measured
    from neurosim.audit.target import AuditTarget
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array
    from neurosim.engine.threads import ThreadTeam

MORE = 5  # the same, where kernels of other people have a state of their own, and may wait
BATCHES = 2  # how often all phases run: what a batch leaves behind shows in the next


@dataclass(frozen=True, eq=False)
class StepRun:
    """One run of one step.

    Args:
        batch: how often its phase has run before.
        site: which step.
        place: of the training; None: at no place in particular.
    """

    batch: int
    site: Site
    place: Place | None = None


Change = Callable[[StepRun | None], None]


@dataclass
class Difference:
    """What a run of a step left otherwise than recorded: buffer name -> where (a mask of the buffer's shape)."""

    run: StepRun
    buffers: dict[str, tuple[Buffer, Array]]

    @property
    def updates(self) -> list[str]:
        """Owners of the changes and weights that differ."""
        synaptic = [b for b, _ in self.buffers.values() if b.role is Role.CHANGE or b.role.is_weight]
        return list(dict.fromkeys(b.owner for b in synaptic))


class Bench:
    """Runs every phase of a target, batch after batch, in the order in which the rule asks for them, one step at a time.

    Args:
        target: what is audited.
        graph: of its plans.
        team: one thread is enough.
        batches: how often every phase runs, the second time in another epoch where the rule's order allows it: what a batch
            leaves behind shows in the next; None: as often as the rule's kernels call for.
        verified: the graph knows its forward pass already; else it is measured here, and the graph refined.

    Attributes:
        runs: every run of a step, in order.
        before: run -> argument -> values that a product, a plasticity or a kernel from outside this package found.
        after: run -> argument -> values that the step left.
        interventions: how often something was replaced and run again.
        unfit: what interventions left that is not finite, in words.
    """

    def __init__(
        self, target: AuditTarget, graph: Graph, team: ThreadTeam, batches: int | None = None, verified: bool = False
    ):
        self.target, self.graph, self.team = target, graph, team
        self.batches = batches or (MORE if counts(graph) else BATCHES)
        self.bases, self.interventions, self.unfit = list(graph.bases.values()), 0, list[str]()
        self._steps = {site: SingleStep(site.step, str(site), target.kernels) for site in graph.sites}
        self.runs = list(self._runs())
        self.start = {b.name: b.array.copy() for b in self.bases}
        self.before: dict[StepRun, dict[str, Array]] = {}
        self.after: dict[StepRun, dict[str, Array]] = {}
        self._presented: dict[Place | None, dict[str, Array]] = {}
        self.measured: Measured | None = None  # see `changes.measured`
        self._record()
        self.forward = ForwardPass(self)
        if not verified:
            self.forward.verify()
        self.roles = DerivedRoles(self)

    def longer(self, batches: int) -> Bench:
        """The same, with more batches."""
        found = Bench(self.target, self.graph, self.team, batches, verified=True)
        found.unfit = self.unfit
        return found

    def is_fit(self, where: str, arrays: dict[str, Array]) -> bool:
        """Whether what an intervention left is finite; what is not says nothing, and is noted."""
        if found := unfit(where, arrays):
            self.unfit.append(found)
        return not found

    def is_drawn(self, base: Buffer) -> bool:
        """Whether what is given in an array is another in every batch."""
        values = [v[base.name] for v in self._presented.values() if base.name in v]
        return len(values) > 1 and all(not np.array_equal(a, b) for a, b in itertools.pairwise(values))

    def _runs(self) -> Iterator[StepRun]:
        """Every run of a step, in the rule's own order of phases."""
        seen: Counter[str] = Counter()
        for place in chosen(self.target.rule, list(self.graph.phases), self.batches):
            for site in self.graph.phases[place.phase]:
                yield StepRun(seen[place.phase], site, place)
            seen[place.phase] += 1

    def function(self, site: Site) -> Function:
        """The kernel of a step."""
        return callable_of(site.step, self.target.kernels)

    def run(self, site: Site) -> None:
        """One step, as it stands.

        Raises:
            UndecidedError: its kernel fails, so that nothing can be decided.
        """
        self._steps[site].run(self.team)

    def restore(self) -> None:
        """Every array as it was before the first batch."""
        for base in self.bases:
            base.array[...] = self.start[base.name]

    def _present(self, run: StepRun, again: bool = False) -> None:
        """Put the batch before the stimulus, where a batch begins; the same arrays as when it was recorded."""
        place = run.place
        if place is None or run.site is not self.graph.phases[place.phase][0]:
            return
        if again or place not in self._presented:
            self.target.present_batch(place.batch, place.epoch)
            self._presented.setdefault(place, {b.name: b.array.copy() for b in self._given()})
        else:
            for name, values in self._presented[place].items():
                self.graph.bases[name].array[...] = values

    def _given(self) -> list[Buffer]:
        """What no step makes. Weights that nothing changes and labels are what interventions replace: they are left out."""
        made = {b.base.name for s in self.graph.sites for b in s.step.changed.values()}
        return [b for b in self.bases if b.name not in made and not b.role.is_weight and b.role is not Role.LABEL]

    def _record(self) -> None:
        require_finite("before the first batch", {b.name: self.start[b.name] for b in self.bases if b.lasts})
        for run in self.runs:
            self._present(run)
            if run.site.kind in (Kind.PLASTICITY, Kind.HEBBIAN) or not builtin(run.site.step):
                self.before[run] = {k: b.array.copy() for k, b in run.site.inputs.items()}
            self.run(run.site)
            self.after[run] = {k: b.array.copy() for k, b in run.site.step.changed.items()}
            require_finite(
                f"{run.site}, batch {run.batch + 1}", {b.name: b.array for b in run.site.step.changed.values()}
            )
        self.restore()

    def replay(
        self,
        change: Change,
        held: bool = True,
        batches: int | None = None,
        again: bool = False,
        also: frozenset[Site] = frozenset(),
        poisoned: bool = False,
    ) -> list[Difference]:
        """Run everything again with one thing replaced, and compare what every step leaves, bit by bit.

        Args:
            change: called with None before the first step, and with every run of a step right after its values are there.
            held: steps of the forward pass are not run: what they left is put back.
            batches: how many; all if None.
            again: ask the target for its pictures anew.
            also: steps held besides those of the forward pass.
            poisoned: the change puts NaN where nothing should look.

        Returns:
            The runs of steps that left something else, in order; held steps are not compared.
        """
        self.restore()
        self.interventions, found = self.interventions + 1, []
        change(None)
        asked = [run for run in self.runs if batches is None or run.batch < batches]
        for run in self.runs[: self.runs.index(asked[-1]) + 1] if asked else ():
            self._present(run, again)
            if held and (run.site in self.graph.forward or run.site in also):
                for argument, buffer in run.site.step.changed.items():
                    buffer.array[...] = self.after[run][argument]
                change(run)
                continue
            self.run(run.site)
            change(run)
            if run in asked and (buffers := self._differing(run, poisoned)):
                found.append(Difference(run, buffers))
        self.restore()
        return found

    def _differing(self, run: StepRun, poisoned: bool) -> dict[str, tuple[Buffer, Array]]:
        """What a step has just left otherwise than it did when it was recorded."""
        buffers = {}
        for argument, buffer in run.site.step.changed.items():
            other = bits(np.ascontiguousarray(buffer.array)) != bits(self.after[run][argument])
            if other.any():
                buffers[buffer.base.name] = (buffer, other)
        left = {} if poisoned else {name: b.array for name, (b, _) in buffers.items()}
        return buffers if self.is_fit(f"{run.site}, batch {run.batch + 1}, with other numbers before it", left) else {}

    def inputs(self, site: Site, batch: int) -> dict[str, Array]:
        """What a step found in its inputs in some batch: what the steps before it left."""
        names = {b.base.name for b in site.inputs.values()}
        bases = self._state(lambda run: run.batch == batch and run.site is site, names)
        return {argument: rows_of(buffer, bases) for argument, buffer in site.inputs.items()}

    def state_after(self, run: StepRun, names: set[str]) -> dict[str, Array]:
        """Some arrays, by name, as a run of a step left them."""
        bases = self._state(lambda other: other is run, names)
        self._put_left(run, bases)
        return bases

    def _state(self, until: Callable[[StepRun], bool], names: set[str]) -> dict[str, Array]:
        """Some arrays as some run of a step found them."""
        bases = {name: self.start[name].copy() for name in names}
        for run in self.runs:
            if run.site is self.graph.phases[run.site.phase][0]:
                given = self._presented.get(run.place, {})
                bases |= {name: given[name].copy() for name in names & given.keys()}
            if until(run):
                break
            self._put_left(run, bases)
        return bases

    def _put_left(self, run: StepRun, bases: dict[str, Array]) -> None:
        """What a run of a step left, in the arrays that it changed."""
        for argument, buffer in run.site.step.changed.items():
            if buffer.base.name in bases:
                rows_of(buffer, bases)[...] = self.after[run][argument]

    def undeclared(self) -> list[tuple[Site, str]]:
        """Run every step of every batch with everything that it did not declare filled with NaN (whole numbers: -1).

        Returns:
            (site, what it touched) for every step that read or changed something undeclared.
        """
        self.restore()
        true = {b.name: b.array.copy() for b in self.bases}
        touched: list[tuple[Site, str]] = []
        for base in self.bases:
            poison(base.array)
        for run in self.runs:
            if run.site is self.graph.phases[run.site.phase][0]:
                for name, values in self._presented[run.place].items():
                    true[name][...] = values
            if run.batch and self.graph.aliases:
                continue  # found already: what one of them is given, the other has too
            if run.batch and builtin(run.site.step):  # once is enough
                for argument, buffer in run.site.step.changed.items():
                    rows_of(buffer, true)[...] = self.after[run][argument]
                continue
            self._run_alone(run, true, touched)
        self.restore()
        return touched

    def _run_alone(self, run: StepRun, true: dict[str, Array], touched: list[tuple[Site, str]]) -> None:
        """One step among NaN but for what it declares."""
        step, self.interventions = run.site.step, self.interventions + 1
        for buffer in {b.name: b for b in run.site.inputs.values()}.values():
            buffer.array[...] = rows_of(buffer, true)
        workspace.poison()
        self.run(run.site)
        for argument, buffer in step.changed.items():
            if not np.array_equal(bits(buffer.array.copy()), bits(self.after[run][argument])):
                touched.append((run.site, f"{buffer.name} comes out otherwise: something undeclared was read"))
            rows_of(buffer, true)[...] = self.after[run][argument]
        for base in {b.base.name: b.base for b in step.buffers.values()}.values():
            poison(base.array)
        for base in self.bases:
            if not is_poisoned(base.array):
                touched.append((run.site, f"{base.name} was changed and is not declared"))
                poison(base.array)
