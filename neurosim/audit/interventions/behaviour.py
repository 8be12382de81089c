"""What a rule does, asked by interventions: undeclared memory, arithmetic, weights, labels, outer products, locality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.evidence import Evidence, Grade
from neurosim.audit.graph.kinds import builtin
from neurosim.audit.interventions.changes import Changes, measured
from neurosim.audit.interventions.held import Held
from neurosim.audit.interventions.linearity import bend_of
from neurosim.audit.interventions.locality import Locality
from neurosim.audit.interventions.loop import Loop
from neurosim.audit.interventions.transport import Transport
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.interventions.bench import Bench, Difference, StepRun
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array


class Behaviour:
    """Asks a bench about all conditions.

    Args:
        bench: recorded.
        light: fewer interventions, for the start of a training: the weights, the labels, the products.
    """

    def __init__(self, bench: Bench, light: bool = False):
        self.bench, self.light, self.graph = bench, light, bench.graph
        self.rng = np.random.default_rng([bench.target.rule.network.seed, ord("I")])
        self.evidence = Evidence("behaviour")

    def analyse(self) -> Evidence:
        """All answers."""
        hidden = self._again()
        self._undeclared()
        Held(self.bench, self.evidence, self.rng).answer()
        Loop(self.bench, self.evidence, self.rng, self.light).answer()
        seen = len(self.evidence.findings)  # in the loop: what changed where no step ran
        self.bench.roles.answer(self.evidence)
        self._arithmetic()
        Transport(self.bench, self.evidence, self.rng, self.light).answer()
        self._labels()
        Changes(self.bench, self.evidence).answer()
        locality = Locality(self.bench, self.evidence, self.rng)
        locality.answer(self.light)
        if hidden:
            self._follows(seen)
        self.evidence.interventions = self.bench.interventions
        return self.evidence

    # -- declared

    def _undeclared(self) -> None:
        for site, what in self.bench.undeclared()[:3]:
            why = "a declaration cannot show what a kernel reads beside it"
            self.evidence.add_finding("declared", f"{site}: {what}", why=why)
        count = len(self.graph.sites)
        text = f"{count} steps ran with all they do not declare filled with NaN: no bit differs"
        self.evidence.add_check("declared", text)

    def _again(self) -> bool:
        """All of it once more, with nothing replaced: the same bits, or something is remembered that no array shows."""
        found = self.bench.replay(lambda run: None, held=False)[:1]
        for difference in found:
            text = f"{difference.run.site} leaves something else when everything is run again: hidden state"
            self.evidence.add_finding("declared", text, why="no array shows it")
        return bool(found)

    def _follows(self, seen: int) -> None:
        """Where bits differ though nothing was replaced, differences accuse of nothing else."""
        found = self.evidence.findings
        self.evidence.findings = found[:seen] + [f for f in found[seen:] if f.condition == "declared"]
        self.evidence.grades.pop(Grade.NOT_LOCAL, None)
        self.evidence.leave_out("what else bits show: with hidden state they differ whatever is replaced")

    # -- (ii)

    def _arithmetic(self) -> None:
        sites = [s for s in self.graph.sites if s.kind is Kind.COMPARE or (s.kind is Kind.GATE and not builtin(s.step))]
        sites = [s for s in sites if builtin(s.step) or not measured(self.bench).bends(s)]
        for site in sites:
            share, size = bend_of(self.bench, site, self.rng)
            if share > 0.8:
                self.evidence.add_finding(
                    "ii",
                    f"{site}: its error bends with the activities (mixed second difference {size:.1e} of "
                    "the largest error): products, norms or divisions of activities",
                    why="sums, differences and comparisons give straight pieces",
                )
        if sites:
            text = f"the error of {len(sites)} steps is piecewise straight in every activity it compares"
            self.evidence.add_check("ii", text)

    # -- (iv)

    def _labels(self) -> None:
        labels = self.bench.target.labels
        buffers = [b for b in self.bench.bases if b.role is Role.LABEL]
        if self.bench.target.labels_reach:
            why = "the labels are read outside the plan, where declarations do not reach"
            self.evidence.add_finding("iv", self.bench.target.labels_reach, why=why)
        if labels is not None:
            self._permute_labels(labels)
        if buffers:
            self._replace_labels(buffers)
        elif labels is None:
            self.evidence.leave_out("(iv) no labels were given: there was nothing to permute")

    def _permute_labels(self, labels: Array) -> None:
        """The labels of the pictures, which no plan should know."""
        true, turned = labels.copy(), labels.max() - labels
        other = turned if (labels != turned).any() else np.roll(labels, 1)

        def permute(run: StepRun | None) -> None:
            if run is None:
                labels[...] = other

        found = self.bench.replay(permute, held=False, again=True)
        labels[...] = true
        why = "the labels are read outside the plan, where declarations do not reach"
        self._leak(found, "the labels of the pictures", why)
        self.evidence.add_check("iv", f"{len(labels)} labels of the pictures permuted: no bit differs")

    def _replace_labels(self, buffers: list[Buffer]) -> None:
        """The labels that lie in the plan."""

        def replace(run: StepRun | None) -> None:
            for b in buffers:
                b.array[...] = (b.array + 1) % 10

        self._leak(self.bench.replay(replace, held=False), ", ".join(b.name for b in buffers))
        self.evidence.add_check("iv", f"{len(buffers)} buffers of labels permuted: no bit differs")

    def _leak(self, found: list[Difference], what: str, why: str = "") -> None:
        updates = dict.fromkeys(owner for difference in found for owner in difference.updates)
        if updates:
            text = f"{what} permuted: {found[0].run.site} differs, and the update of {', '.join(updates)}"
            self.evidence.add_finding("iv", text, why=why)
