"""Condition (iii) by intervention: a forward weight replaced, activities held, changes no error and no other weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.graph.kinds import builtin
from neurosim.audit.interventions.changes import measured
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench, Change, Difference, StepRun
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array


class Transport:
    """Replaces every forward weight in turn.

    Args:
        bench: recorded.
        evidence: to which the answers are added.
        rng: of the weights put in place of others.
        light: without the control by feedback weights.
    """

    def __init__(self, bench: Bench, evidence: Evidence, rng: np.random.Generator, light: bool = False):
        self.bench, self.evidence, self.rng, self.light = bench, evidence, rng, light
        self.graph = bench.graph

    def answer(self) -> None:
        """The answer to condition (iii)."""
        self._zero_errors()
        forward = [b for b in self.bench.bases if b.role.is_forward]
        for weight in forward:
            self._replaced(weight)
        self._without_activity()
        own = [b for b in self.bench.bases if b.role.is_weight and not b.role.is_forward and self._is_sent(b)]
        if not self.light:
            self._control(own)
        names = ", ".join(b.name for b in own) or "no feedback"
        control = "" if self.light else f"; control: replacing {names} does change errors"
        self.evidence.add_check(
            "iii",
            f"{', '.join(b.name for b in forward)} replaced one by one, activities held, {self.bench.batches} batches: "
            f"every error and every other weight's change has the same bits{control}",
        )

    def _zero_errors(self) -> None:
        """Where an error is zero everywhere, nothing could carry weights."""
        comparisons = [s for s in self.graph.sites if s.kind is Kind.COMPARE]
        zero = [site for site in comparisons if not any(e.any() for e in self._errors(site))]
        if zero:
            self.evidence.undecided["iii"] = f"{zero[0]} gave no error at all, so nothing could carry weights"

    def _errors(self, site: Site) -> list[Array]:
        names = [k for k, b in site.step.changed.items() if b.role is Role.ERROR]
        return [self.bench.after[run][k] for run in self.bench.runs if run.site is site for k in names]

    def _replaced(self, weight: Buffer) -> None:
        """Replace one forward weight, and note what differs besides it."""
        own = measured(self.bench).own_arrays(weight)
        found = [d for d in self.bench.replay(self._swap(weight)) if set(d.buffers) - own]
        if not found:
            return
        way, updates = self._described(weight, found)
        words = (weight.name, *way, "update of " + ", ".join(updates) if updates else "no update")
        verb = "differs" if len(updates) < 2 else "differ"
        text = f"{weight.name} replaced, activities held: {' -> '.join(words)} {verb}"
        self.evidence.add_finding("iii", text, words)

    def _swap(self, weight: Buffer) -> Change:
        size = np.abs(weight.array).max() or 1.0
        values = self.rng.uniform(-size, size, weight.shape).astype(weight.dtype)

        def change(run: StepRun | None) -> None:
            if run is None:
                weight.array[...] = values

        return change

    @staticmethod
    def _described(weight: Buffer, found: list[Difference]) -> tuple[list[str], list[str]]:
        """The way in words, and the weights whose change differs."""
        way: list[str] = []
        for difference in found:
            site = difference.run.site
            if site.kind is Kind.DELIVER:
                way.append(f"feedback into {site.result.owner}")
                break
            if site.kind not in (Kind.GATE, Kind.HEBBIAN, Kind.PLASTICITY):
                way.append(f"{next(iter(difference.buffers))} (step {site.number}: {site.step.label})")
        updates = [
            b.owner
            for d in found
            for name, (b, _) in d.buffers.items()
            if b.role is Role.CHANGE or (b.role.is_weight and name != weight.name)
        ]
        return way, list(dict.fromkeys(updates))

    def _without_activity(self) -> None:
        """A transmission by a kernel from outside this package leaves nothing of its weights where no activity comes in."""
        for site in sorted(self.graph.forward, key=lambda s: s.number):
            if not builtin(site.step) and site.kind is Kind.TRANSMIT and not self._silent_at_rest(site):
                self.evidence.add_finding(
                    "iii",
                    f"{site} leaves forward weights behind where no activity comes in",
                    why="it is declared as a transmission, and only a run without activity shows otherwise",
                )

    def _silent_at_rest(self, site: Site) -> bool:
        """Whether a transmission of no activity is the same whatever its weights are."""
        self.bench.restore()
        left = []
        for _ in range(2):
            for buffer in site.inputs.values():
                drawn = self.rng.uniform(-1, 1, buffer.shape).astype(buffer.dtype) if buffer.role.is_weight else 0
                buffer.array[...] = drawn
            self.bench.run(site)
            left.append([b.array.copy() for b in site.step.changed.values()])
        self.bench.restore()
        return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(*left, strict=True))

    def _is_sent(self, buffer: Buffer) -> bool:
        """Whether a weight array is read by a delivery or transmission (and not made anew before)."""
        senders = [s for s in self.graph.sites if s.kind in (Kind.DELIVER, Kind.SEND, Kind.TRANSMIT)]
        return any(b.base is buffer for s in senders for b in s.step.reads.values())

    def _control(self, own: list[Buffer]) -> None:
        """Replacing feedback must change errors, or the intervention shows nothing."""
        without = [b.name for b in own if not self.bench.replay(self._swap(b))]
        if own and len(without) == len(own):
            text = f"replacing {', '.join(without)} changes nothing either: the intervention shows nothing here"
            self.evidence.undecided["iii"] = text
