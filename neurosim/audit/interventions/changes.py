"""Condition (i) for all changes: every synapse of every array recomputed in every batch, or measured to move with its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.evidence import Grade
from neurosim.audit.graph.kinds import builtin
from neurosim.audit.graph.structure import TIME
from neurosim.audit.graph.updates import updates_of
from neurosim.audit.interventions.plasticity import update_differs
from neurosim.audit.interventions.populations import of_others
from neurosim.audit.interventions.products import Recomputed, product_differs
from neurosim.audit.interventions.synaptic import Dependence, is_figure, of_synapses, per_synapse
from neurosim.audit.interventions.trial import Trial, has_rows
from neurosim.audit.interventions.units import connects, of_connections, of_units
from neurosim.audit.operations import categories as C
from neurosim.audit.operations.ledger import ledger
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench, StepRun
    from neurosim.core.buffer import Buffer


class Measured:
    """What kernels from outside this package move with, wherever a change of a weight is made of them.

    Args:
        bench: recorded.

    Attributes:
        synaptic: site -> dependence, of steps with one number a synapse.
        units: site -> dependence, of steps with one number a unit.
        compares: sites of these that compare one view or moment with another.
        forward: site -> dependence, of steps of the forward pass.
        connected: site -> dependence, of other steps that carry something through connections.
        failed: site -> how its kernel failed on other numbers.
    """

    def __init__(self, bench: Bench):
        self.bench, self.graph = bench, bench.graph
        self.rng = np.random.default_rng([bench.target.rule.network.seed, ord("D")])
        self.synaptic: dict[Site, Dependence] = {}
        self.units: dict[Site, Dependence] = {}
        self.compares: set[Site] = set()
        self.forward: dict[Site, Dependence] = {}
        self.connected: dict[Site, Dependence] = {}
        self.failed: dict[Site, str] = {}
        for site, shape in self._foreign().items():
            try:
                self._measure(site, shape)
            except Exception as problem:  # somebody else's kernel may fail in any way on other numbers
                self._fails(site, problem)
        for site in self.graph.forward:
            if not builtin(site.step) and site not in self.units:
                self._forward(site)

    def _foreign(self) -> dict[Site, tuple[int, ...]]:
        """Every step of somebody else's that a weight's change is made of, and the shape of the weight."""
        found: dict[Site, tuple[int, ...]] = {}
        for update in updates_of(self.graph):
            weight = next(b for b in update.step.changed.values() if b.role.is_weight).base
            for site in self.graph.slice(update).parents:
                if not builtin(site.step):
                    found.setdefault(site, weight.shape)
                    if any(per_synapse(b, weight.shape) for b in site.step.changed.values()):
                        found[site] = weight.shape
        return found

    def _forward(self, site: Site) -> None:
        """What a step of the forward pass moves with."""
        trial = Trial(self.bench, next(r for r in self.bench.runs if r.site is site), self.rng)
        connected = any(connects(b, list(site.step.changed.values())) for b in site.inputs.values())
        try:
            self.forward[site] = of_connections(trial) if connected else of_units(trial)
        except Exception as problem:
            self._fails(site, problem)

    def _fails(self, site: Site, problem: Exception) -> None:
        self.failed[site] = f"{site} fails on other numbers: {type(problem).__name__}: {problem}"

    def _measure(self, site: Site, shape: tuple[int, ...]) -> None:
        synaptic = any(per_synapse(b, shape) for b in site.step.changed.values())
        for run in self.bench.runs:
            if run.site is not site:
                continue
            trial = Trial(self.bench, run, self.rng)
            if synaptic:
                self._merge(self.synaptic, site, of_synapses(trial, shape))
            elif any(connects(b, list(site.step.changed.values())) for b in site.inputs.values()):
                self._merge(self.connected, site, of_connections(trial))
            else:
                self._merge(self.units, site, of_units(trial))
                others = of_others(self.graph, site)
                self.units[site].elsewhere += [f"{name} is of other units" for name in others if not run.batch]
                if self._is_comparison(site):
                    self.compares.add(site)

    @staticmethod
    def _merge(known: dict[Site, Dependence], site: Site, found: Dependence) -> None:
        """What any batch shows."""
        old = known.setdefault(site, found)
        old.elsewhere += [text for text in found.elsewhere if text not in old.elsewhere]
        old.batch += [text for text in found.batch if text not in old.batch]
        old.chosen = (old.chosen - set(found.scalars)) | (found.chosen - (set(old.scalars) - old.chosen))
        old.scalars |= found.scalars
        old.shared, old.joins = old.shared or found.shared, old.joins or found.joins
        old.tame = old.tame and found.tame

    def _is_comparison(self, site: Site) -> bool:
        """Whether it compares several views or moments of activities, none of which came from a comparison."""
        rows = [b for b in site.inputs.values() if has_rows(b) and b.dtype.kind == "f"]
        made = [m for b in rows for m in self.graph.makers(site, b)[0] if m not in self.graph.forward]
        ends = {b.base.shape[0] - b.start - b.shape[0] for b in rows}
        ring = any(b.role is Role.MEMORY and len(b.shape) > 1 and b.shape[0] > 1 for b in site.inputs.values())
        return not made and (len(ends) > 1 or ring or self.units[site].joins)

    def own_arrays(self, weight: Buffer) -> set[str]:
        """Names of what may differ where a weight is another: itself; and its change and traces, where these decay with it."""
        own = {weight.name}
        updates = [s for s in updates_of(self.graph) if s.changes(weight)]
        arrays = {b.base.name for s in updates for b in s.step.buffers.values() if per_synapse(b, weight.shape)}
        for site, dependence in self.synaptic.items():
            reads = any(b.base is weight for b in site.inputs.values())
            if reads and dependence.own and {b.base.name for b in site.step.changed.values()} <= arrays:
                own |= arrays
        return own

    def excuses(self, site: Site, kind: str) -> bool:
        """Whether an operation of a category breaks nothing at a step, as it is known by measurement.

        Any does where every synapse works on its own, or every unit by a function of its own that neither divides by what may
        be small nor explodes, and compares nothing; a product with one number that all share, where such a number was found.
        """
        known = (self.synaptic, self.units, self.forward, self.connected)
        found = next((one[site] for one in known if site in one), None)
        if found is None or site in self.failed or found.elsewhere:
            return False
        if kind == C.SHARED and found.scalars:
            return True
        if site in self.synaptic:
            return not found.shared
        return found.tame and not (found.shared or found.joins or found.batch or site in self.compares)

    def bends(self, site: Site) -> bool:
        """Whether a step's results may bend: its ledger is what is judged."""
        if self.excuses(site, C.DIVIDE):
            return True
        found = self.units.get(site)
        if found is None or not found.scalars:
            return False
        return {o.kind for o in ledger(site.step, self.bench.function(site)).forbidden} <= {C.SHARED}


def measured(bench: Bench) -> Measured:
    """What is measured of a bench, once; the bench keeps it, so that it goes with the bench."""
    if bench.measured is None:
        bench.measured = Measured(bench)
    return bench.measured


class Changes:
    """Asks a bench about every change of every array, in every batch.

    Args:
        bench: recorded.
        evidence: to which the answers are added.

    Attributes:
        unexplained: names of weights of which some change is not explained.
    """

    def __init__(self, bench: Bench, evidence: Evidence):
        self.bench, self.evidence, self.graph = bench, evidence, bench.graph
        self.measured = measured(bench)
        self.unexplained: set[str] = set()

    def answer(self) -> None:
        """The answer to condition (i)."""
        self._recomputed()
        self._measured()
        self._rates()

    def _recomputed(self) -> None:
        count, worst = 0, 0.0
        for run in self.bench.runs:
            compared = self._again(run)
            if compared is None:
                continue
            count, worst = count + compared.synapses, max(worst, compared.error)
            if compared.difference:
                self._fail(run.site, f"{run.site}, batch {run.batch + 1}: {compared.difference}")
        self.evidence.add_check(
            "i",
            f"{count} changes of synapses, all of every array in {self.bench.batches} batches, computed again in float64: "
            f"largest relative difference {worst:.0e}",
        )

    def _again(self, run: StepRun) -> Recomputed | None:
        """One change or update computed again; None: it is no such step, or it is measured."""
        if run.site.kind is Kind.PLASTICITY:
            return update_differs(self.bench, run) if builtin(run.site.step) else None
        if run.site.kind is not Kind.HEBBIAN:
            return None
        known = run.site in self.measured.synaptic and run.site not in self.measured.failed
        return None if known else product_differs(self.bench, run)

    def _measured(self) -> None:
        for site, dependence in {**self.measured.synaptic, **self.measured.units}.items():
            self._judge(site, dependence)
        for dependence in self.measured.forward.values():
            for text in dependence.batch:
                self._over_a_batch(text)
        for text in self.measured.failed.values():
            self.evidence.undecided["i"] = text
        known = len(self.measured.synaptic) + len(self.measured.units)
        if known:
            text = (
                f"{known} steps by kernels from outside this package: every synapse and unit altered in turn, in sets"
            )
            self.evidence.add_check("i", text)

    def _judge(self, site: Site, dependence: Dependence) -> None:
        """What a step moves with beyond its own; where activities are compared, other units may decide whether, not what."""
        compares = site in self.measured.compares
        if compares and dependence.elsewhere:
            return  # its arithmetic is recorded
        for text in dependence.elsewhere:
            self._fail(site, f"{site}: {text}")
        for text in dependence.batch:
            self._over_a_batch(text)
        for argument, text in dependence.scalars.items():
            buffer = site.inputs[argument]
            if compares and argument in dependence.chosen:
                continue
            if not is_figure(buffer) or self._varies(site, buffer):
                self.evidence.lower_grade(Grade.BROADCAST_SCALAR, f"{site}: {text}")

    def _over_a_batch(self, text: str) -> None:
        self.evidence.lower_grade(Grade.OVER_A_BATCH, text)
        self.evidence.remarks.append(f"{TIME} {text}")

    def _fail(self, site: Site, text: str) -> None:
        self.evidence.add_finding("i", text)
        self.unexplained |= {b.owner for b in site.step.changed.values()}

    # -- one number for all

    def _varies(self, site: Site, buffer: Buffer) -> bool:
        """Whether one number for all synapses moves with what happens, or comes from outside."""
        own = buffer.role in (Role.RATE, Role.PLASTICITY)
        return not own or self._moves(buffer) or self._differs(site, buffer)

    def _moves(self, buffer: Buffer) -> bool:
        """Whether some step makes it, and makes it otherwise where activities are others."""
        if not any(site.changes(buffer.base) for site in self.graph.sites):
            return False
        found = self.bench.replay(self._other_activities, batches=None)
        return any(buffer.base.name in difference.buffers for difference in found)

    def _other_activities(self, run: StepRun | None) -> None:
        """Other activities in the first batch, wherever the forward pass leaves some."""
        if run is None or run.batch or run.site not in self.graph.forward:
            return
        for argument, buffer in run.site.step.changed.items():
            if buffer.dtype.kind == "f":
                size = np.abs(self.bench.after[run][argument]).max() or 1.0
                buffer.array[...] = self.measured.rng.uniform(-size, size, buffer.shape)

    def _differs(self, site: Site, buffer: Buffer) -> bool:
        """Whether it came with other values from batch to batch, though no step made it."""
        made = any(other.changes(buffer.base) for other in self.graph.sites)
        argument = next(k for k, b in site.inputs.items() if b is buffer)
        values = {v[argument].tobytes() for run, v in self.bench.before.items() if run.site is site}
        return not made and len(values) > 1

    def _rates(self) -> None:
        """The rates of this package's plasticities."""
        asked: set[str] = set()
        for site in updates_of(self.graph):
            for buffer in site.inputs.values():
                if not builtin(site.step) or buffer.role is not Role.RATE or buffer.base.name in asked:
                    continue
                asked.add(buffer.base.name)
                if self._moves(buffer) or self._differs(site, buffer):
                    text = f"{buffer.name}, one number for all synapses, moves with what happens"
                    self.evidence.lower_grade(Grade.BROADCAST_SCALAR, text)
