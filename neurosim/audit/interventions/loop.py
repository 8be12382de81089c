"""The loop as it runs: what a rule does between its steps, batch after batch, across epochs and a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.interventions.arrays import bits, other_values, poison
from neurosim.audit.interventions.places import ASKED, Place, places
from neurosim.audit.interventions.wiring import Wiring
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench
    from neurosim.core.typing import Array

BATCHES, TIMES = 2, 2  # of an epoch; how often every phase comes at least
FAR = (0, 1, 2, 3, 7, 20, 99)  # epochs and batches at which hooks are called besides: some wait before they do a thing
Left = dict[tuple[int, "Site"], dict[str, "Array"]]  # (number of the place, site) -> argument -> what the step left


class Loop:
    """Trains for a few epochs as `neurosim.training.trainer.Trainer` does, and watches every array between the steps.

    Args:
        bench: recorded; its programs of single steps are run.
        evidence: to which the answers are added.
        rng: of the numbers put in place of others.
        light: without what takes many calls.
    """

    def __init__(self, bench: Bench, evidence: Evidence, rng: np.random.Generator, light: bool = False):
        self.bench, self.evidence, self.rng, self.light = bench, evidence, rng, light
        self.target, self.rule, self.graph = bench.target, bench.target.rule, bench.graph
        self.bases = {b.name: b for b in bench.bases}
        for synapse in self.rule.synapses():  # those that no step touches are watched too
            self.bases.setdefault(synapse.name, synapse.weight)
        made = {b.base.name for s in self.graph.sites for b in s.step.changed.values()}
        self.given = {name for name, b in self.bases.items() if name not in made and not b.role.is_weight}
        self._now: dict[str, Array] = {}
        self._left: Left = {}
        self._redrawn: set[str] = set()

    def answer(self) -> None:
        """All answers."""
        self.heads_matched()
        before = self._copies()
        steps = places(self.rule, BATCHES, TIMES)
        resumed = self._epoch_end(steps)
        saved = self._run(steps, resumed)
        self._resume(steps, resumed, saved)
        self._put(before)
        self._draws(steps[0], steps[-1])
        self._far()
        Wiring(self.bench, self.evidence, self.rng, self.bases).answer()
        self._put(before)
        text = f"{len(steps)} batches over {steps[-1].epoch + 1} epochs and a checkpoint: no array changes outside its steps"
        self.evidence.add_check("declared", text)

    # -- arrays

    def _copies(self) -> dict[str, Array]:
        return {name: b.array.copy() for name, b in self.bases.items()}

    def _put(self, values: dict[str, Array]) -> None:
        for name, array in values.items():
            self.bases[name].array[...] = array

    def _moved(self) -> list[str]:
        """Arrays that changed since they were last looked at; they are known as they are now afterwards."""
        found = []
        for name, base in self.bases.items():
            if not np.array_equal(bits(base.array), bits(self._now[name])):
                found.append(name)
                self._now[name] = base.array.copy()
        return found

    # -- the loop

    @staticmethod
    def _epoch_end(steps: list[Place]) -> int:
        """The first place of an epoch near the middle, where training is resumed from a checkpoint."""
        first = [n for n, place in enumerate(steps) if n and place.epoch != steps[n - 1].epoch]
        return min(first, key=lambda n: abs(n - len(steps) // 2), default=len(steps) - 1)

    def _run(self, steps: list[Place], resumed: int) -> dict[str, Array]:
        """Train at all places; gives what all arrays held before one of them."""
        self._now, saved = self._copies(), {}
        for number, place in enumerate(steps):
            if number == resumed:
                self._watch(place, "what is asked at a checkpoint", self._ask)
                saved = self._copies()
            self._hooks(place)
            for site in self.graph.phases.get(place.phase, []):
                self.bench.run(site)
                self._left[number, site] = {k: b.array.copy() for k, b in site.step.changed.items()}
                own = {b.base.name for b in site.step.changed.values()}
                for name in self._moved():
                    if name not in own and not self._is_alias(name, own):
                        self._fail("declared", f"{name} changes in {site}, at {place}, and is not declared there")
            self._watch(place, "figures()", self._figures)
        return saved

    def _is_alias(self, name: str, own: set[str]) -> bool:
        return any({a.name, b.name} & own and name in (a.name, b.name) for a, b in self.graph.aliases)

    def _hooks(self, place: Place) -> None:
        """All that happens before the steps of a batch."""
        rates = {p.rate.name for p in self.rule.plasticities() if p.rate.role is Role.RATE}
        self._watch(place, "phase() and plasticities()", lambda: self._rates(place), rates)
        if self.target.show is not None:
            show = self.target.show
            self._watch(place, "showing the views", lambda: show(place.epoch, place.batch), self.given)
            self._redrawn |= set(self._watch(place, "draw()", lambda: self._draw(place), self.given))
        else:
            self._watch(place, "draw()", lambda: self.target.present_batch(place.batch, place.epoch), self.given)

    def _draw(self, place: Place) -> None:
        self.rule.draw(place.epoch, place.batch)

    def _rates(self, place: Place) -> None:
        """What the trainer asks and sets: the phase, and the rates by the schedule."""
        self.rule.phase(place.epoch, place.batch, ASKED)
        done = self.rule.progress(place.epoch, min(1.0, place.batch / BATCHES), ASKED)
        for plasticity in self.rule.plasticities():
            plasticity.rate.put(plasticity.base_rate * max(0.1, 1 - 0.5 * min(1.0, done)))

    def _figures(self) -> None:
        for phase in self.rule.phases:
            for units in self.rule.errors_of(phase):
                units.value.host()
        for buffer in self.rule.figures().values():
            buffer.host()

    def _ask(self) -> None:
        """What a checkpoint, a report and a folder of a run ask a rule."""
        for phase in self.rule.phases:
            self.rule.outputs(phase)
            list(self.rule.wire(phase))
        self.rule.synapses()
        self.rule.wiring()

    # -- what changes outside a step

    def _watch(
        self, place: Place, hook: str, call: Callable[[], object], allowed: set[str] | frozenset[str] = frozenset()
    ) -> list[str]:
        """Call a hook; what it changes and may not is a finding. Gives what it changed."""
        before = dict(self._now)
        call()
        moved = self._moved()
        wrong = [name for name in moved if name not in allowed]
        if wrong:
            self._outside(wrong, hook, place, call, before)
            self._put(self._now)
        return moved

    def _outside(
        self, wrong: list[str], hook: str, place: Place, call: Callable[[], object], before: dict[str, Array]
    ) -> None:
        """Say which array changed, and what reaches it."""
        name = wrong[0]
        more = f" (and {', '.join(wrong[1:4])})" if len(wrong) > 1 else ""
        self._fail("declared", f"{name}{more} changes in {hook}, before {place}, outside every step")
        for source in self._sources(call, before, set(wrong)):
            self._reaches(source, name, hook)

    def _reaches(self, source: str, name: str, hook: str) -> None:
        """One array reaches another in a hook."""
        role = self.bases[source].role
        if self.graph.is_forward_weight(self.bases[source]):
            words = (source, f"{hook} between two batches", name)
            self.evidence.add_finding("iii", f"{source} reaches {name} in {hook}", words, why=OUTSIDE)
        elif role is Role.LABEL:
            self._fail("iv", f"the label {source} reaches {name} in {hook}")
        else:
            self._fail("declared", f"{source} reaches {name} in {hook}")

    def _sources(self, call: Callable[[], object], before: dict[str, Array], wanted: set[str]) -> list[str]:
        """Arrays on which what a hook leaves in some others depends."""
        plain, again = (self._outcome(call, before, wanted, set()) for _ in range(2))
        if plain is None or again is None or _differing(plain, again):
            return []  # it never leaves the same twice
        found = []
        for name in self.bases:
            other = None if name in wanted else self._outcome(call, before, wanted, {name})
            if other is not None and _differing(plain, other):
                found.append(name)
        return found

    def _outcome(
        self, call: Callable[[], object], before: dict[str, Array], wanted: set[str], replaced: set[str]
    ) -> dict[str, Array] | None:
        """What a hook leaves in some arrays, with others replaced; None where it fails then."""
        self._put(before)
        for name in replaced:
            base = self.bases[name]
            base.array[...] = other_values(before[name], self.rng)
        try:
            call()
        except Exception:  # somebody else's hook may not stand these numbers: nothing is known then
            return None
        return {name: self.bases[name].array.copy() for name in wanted}

    def _fail(self, condition: str, text: str) -> None:
        self.evidence.add_finding(condition, text, why=OUTSIDE)

    def heads_matched(self) -> None:
        """Before a training every head is multiplied by one number, and nothing else changes."""
        heads = {s.name for n in self.rule.errors for s in self.rule.network.head(n).synapses}
        for name, (old, new) in self.target.matched.items():
            gains = (new[old != 0] / old[old != 0]).astype(float)
            if name not in heads:
                self._fail("declared", f"{name} changes while heads are matched, before training: no step declares it")
            elif gains.size and np.ptp(gains) > 1e-3 * np.abs(gains).max():
                self._fail("declared", f"{name} is not multiplied by one number while heads are matched")

    # -- what is drawn

    def _draws(self, *where: Place) -> None:
        """What is drawn is a function of seed and place alone: all else replaced, the same bits."""
        self._now = self._copies()
        names = self._redrawn & self.given
        for place in where if names else ():
            before = self._copies()
            first = self._outcome(lambda: self._draw(place), before, names, set())  # noqa: B023
            again = self._outcome(lambda: self._draw(place), before, names, set(self.bases))  # noqa: B023
            self._put(before)
            if first is None or again is None:
                text = f"draw() fails at {place} once all arrays are replaced: it reads some of them"
                self._fail("declared", text)
                continue
            if changed := _differing(first, again):
                self._drawn_of(changed, place, before)
        if names:
            text = f"{', '.join(sorted(names))} drawn again with every array replaced: no bit differs"
            self.evidence.add_check("declared", text)

    def _drawn_of(self, changed: list[str], place: Place, before: dict[str, Array]) -> None:
        """Name what reaches what is drawn."""
        name = changed[0]
        sources = self._sources(lambda: self._draw(place), before, {name})
        self._put(before)
        for source in sources:
            self._reaches(source, name, "draw()")
        if not sources:
            text = f"{name} is drawn otherwise when it is drawn again at {place}: no function of seed and place"
            self._fail("declared", text)

    def _far(self) -> None:
        """Hooks at places far from the first."""
        self._now = self._copies()
        last = self.rule.epochs(100)
        epochs = [e for e in FAR if e < last][: 2 if self.light else None]
        for epoch in epochs:
            for batch in FAR[: 2 if self.light else None]:
                place = Place(epoch, batch, "")
                try:
                    self.rule.phase(epoch, batch, 100)
                    self.rule.progress(epoch, 0.5, 100)
                except (IndexError, ZeroDivisionError):
                    continue
                self._watch(place, "draw()", lambda: self._draw(place), self.given)  # noqa: B023

    # -- a checkpoint

    def _resume(self, steps: list[Place], first: int, saved: dict[str, Array]) -> None:
        """From what a checkpoint keeps alone, the same batches leave the same bits."""
        different = self._continued(steps, first, saved, self._not_kept())
        if not different:
            return
        for name in sorted(self._not_kept()):
            if self._continued(steps, first, saved, {name}):
                text = f"{name} ({self.bases[name].role}) holds something from batch to batch that no checkpoint keeps"
                self._fail("declared", f"{text}: after one, {different} leaves something else")
                return
        text = f"after a checkpoint {different} leaves something else, though every array is as it was: hidden state"
        self._fail("declared", text)

    def _not_kept(self) -> set[str]:
        """What a checkpoint does not keep, and a new model does not make anew by itself."""
        made = {b.base.name for s in self.graph.sites for b in s.step.changed.values()}
        new = {name for name in self.bases if name in self._redrawn or name in made}
        return {name for name in new if not self.bases[name].role.is_saved}

    def _continued(self, steps: list[Place], first: int, saved: dict[str, Array], lost: set[str]) -> str:
        """Train on from a place with some arrays lost; the first step that leaves something else, in words."""
        self._put(saved)
        for name in lost:
            poison(self.bases[name].array)
        for number in range(first, len(steps)):
            place = steps[number]
            self._rates(place)
            self.target.present_batch(place.batch, place.epoch)
            for site in self.graph.phases.get(place.phase, []):
                self.bench.run(site)
                for argument, buffer in site.step.changed.items():
                    if not np.array_equal(bits(buffer.array.copy()), bits(self._left[number, site][argument])):
                        return f"{site} at {place}"
        return ""


OUTSIDE = "it happens outside the steps, where declarations do not reach"


def _differing(one: dict[str, Array], other: dict[str, Array]) -> list[str]:
    """The arrays whose bits differ."""
    return [name for name, values in one.items() if not np.array_equal(bits(values), bits(other[name]))]
