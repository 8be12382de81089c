"""Condition (iii) by intervention: forward weights replaced, verified activities held, change no error and no other weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.depth import Part, asked
from neurosim.audit.graph.kinds import builtin
from neurosim.audit.interventions.changes import measured
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role
from neurosim.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.audit.evidence import Evidence
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench, Change, Difference, StepRun
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array

LATER = 10  # batches of the long run: what is carried only after some time


class Transport:
    """Replaces every forward weight: all that are declared so, and all that carry activity in the forward pass.

    Args:
        bench: recorded, its forward pass verified.
        evidence: to which the answers are added.
        rng: of the weights put in place of others.
        light: without the control by feedback weights, and without the long run.
    """

    def __init__(self, bench: Bench, evidence: Evidence, rng: np.random.Generator, light: bool = False):
        self.bench, self.evidence, self.rng, self.light = bench, evidence, rng, light
        self.graph = bench.graph
        self.forward = [b for b in bench.bases if self.graph.is_forward_weight(b)]
        self.own = {b.name: measured(bench).own_arrays(b) for b in self.forward}

    def answer(self) -> None:
        """The answer to condition (iii)."""
        self._zero_errors()
        if self._crossed() or self._moves(self.bench, self.forward):
            for weight in self.forward:
                self._replaced(weight)
        if asked(Part.LONGER, self.light) and not self._found():
            self._later()
        self._without_activity()
        own = [b for b in self.bench.bases if b.role.is_weight and b not in self.forward and self._is_sent(b)]
        control = asked(Part.CONTROL, self.light)
        if control:
            self._control(own)
        names = ", ".join(b.name for b in own) or "no feedback"
        shown = f"; control: replacing {names} does change errors" if control else ""
        self.evidence.add_check(
            "iii",
            f"{', '.join(b.name for b in self.forward)} replaced, verified activities held, {self.bench.batches} batches: "
            f"every error and every other weight's change has the same bits{shown}",
        )

    def _found(self) -> bool:
        return any(f.condition == "iii" for f in self.evidence.findings)

    def _zero_errors(self) -> None:
        """Where an error is zero everywhere, nothing could carry weights."""
        comparisons = [s for s in self.graph.sites if s.kind is Kind.COMPARE and self._names(s)]
        zero = [site for site in comparisons if not any(e.any() for e in self._errors(site))]
        if zero:
            self.evidence.undecided["iii"] = f"{zero[0]} gave no error at all, so nothing could carry weights"

    @staticmethod
    def _names(site: Site) -> list[str]:
        return [k for k, b in site.step.changed.items() if b.role is Role.ERROR]

    def _errors(self, site: Site) -> list[Array]:
        return [self.bench.after[run][k] for run in self.bench.runs if run.site is site for k in self._names(site)]

    # -- what moves

    def _crossed(self) -> bool:
        """Whether some step that changes a forward weight, or what belongs to it, reads another one."""
        names = {b.name for b in self.forward}
        for site in self.graph.sites:
            changed = {b.base.name for b in site.step.changed.values()}
            owners = {name for name in names if changed & self.own[name]}
            read = {b.base.name for b in site.inputs.values()} & names
            if owners and (read - owners or len(owners) > 1):
                return True
        return False

    def _moves(self, bench: Bench, weights: Sequence[Buffer]) -> list[Difference]:
        """What else moves when some weights are replaced: an error, a change, or anything that lasts.

        Of several at once every number counts: what some are made of may hide in others.
        """
        own = set[str]().union(*(self.own[weight.name] for weight in weights))
        found = [d for d in bench.replay(self._swap(weights)) if set(d.buffers) - own]
        if len(weights) > 1 or any(
            self._matters(b) for d in found for name, (b, _) in d.buffers.items() if name not in own
        ):
            return found
        return []

    def _matters(self, buffer: Buffer) -> bool:
        """Whether a number is more than a figure: an error, a change, or what lasts."""
        return buffer.lasts or buffer.role.may_last or buffer.role in (Role.ERROR, Role.CHANGE)

    def _replaced(self, weight: Buffer) -> None:
        """Replace one forward weight, and note what differs besides it."""
        found = self._moves(self.bench, [weight])
        if not found:
            return
        way, updates = self._described(weight, found)
        words = (weight.name, *way, "update of " + ", ".join(updates) if updates else "no update")
        verb = "differs" if len(updates) < 2 else "differ"
        text = f"{weight.name} replaced, activities held: {' -> '.join(words)} {verb}"
        self.evidence.add_finding("iii", text, words)

    def _swap(self, weights: Sequence[Buffer]) -> Change:
        """Other numbers of the same size in all of some weights, before the first step."""
        sizes = [np.abs(weight.array).max() or 1.0 for weight in weights]
        values = [
            self.rng.uniform(-size, size, weight.shape).astype(weight.dtype)
            for size, weight in zip(sizes, weights, strict=True)
        ]

        def change(run: StepRun | None) -> None:
            if run is None:
                for weight, other in zip(weights, values, strict=True):
                    weight.array[...] = other

        return change

    def _described(self, weight: Buffer, found: list[Difference]) -> tuple[list[str], list[str]]:
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
            if b.role is Role.CHANGE or (b.role.is_weight and name not in self.own[weight.name])
        ]
        return way, list(dict.fromkeys(updates))

    def _later(self) -> None:
        """A longer run, all forward weights replaced at once: what is carried only after some batches."""
        if not self.forward or all(builtin(s.step) for s in self.graph.sites):
            return  # kernels of this package do the same at every batch
        try:
            longer = self.bench.longer(LATER)
        except UndecidedError as problem:
            self.bench.unfit.append(problem.parts[0])
            return
        found = [] if self._crossed() else self._moves(longer, self.forward)
        if found:
            run, names = found[0].run, ", ".join(b.name for b in self.forward)
            words = (names, f"{next(iter(found[0].buffers))} (step {run.site.number}: {run.site.step.label})")
            text = f"{names} replaced, activities held: {words[1]} differs from {run.place} on"
            self.evidence.add_finding("iii", text, words, why="it does not happen in the first batches")

    # -- where nothing is active

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
                weights = buffer.base.name in self.graph.carries or buffer.role.is_weight
                buffer.array[...] = self.rng.uniform(-1, 1, buffer.shape).astype(buffer.dtype) if weights else 0
            self.bench.run(site)
            left.append([b.array.copy() for b in site.step.changed.values()])
        self.bench.restore()
        return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(*left, strict=True))

    # -- the control

    def _is_sent(self, buffer: Buffer) -> bool:
        """Whether a weight array is read by a delivery or transmission (and not made anew before)."""
        senders = [s for s in self.graph.sites if s.kind in (Kind.DELIVER, Kind.SEND, Kind.TRANSMIT)]
        return any(b.base is buffer for s in senders for b in s.step.reads.values())

    def _control(self, own: list[Buffer]) -> None:
        """Replacing feedback must change errors, or the intervention shows nothing."""
        if own and not self.bench.replay(self._swap(own)):
            names = ", ".join(b.name for b in own)
            text = f"replacing {names} changes nothing either: the intervention shows nothing here"
            self.evidence.undecided["iii"] = text
