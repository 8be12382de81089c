"""The loop as it runs: what a rule does between its steps, batch after batch, across epochs and a checkpoint."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.finite import require_finite
from neurosim.audit.graph.kinds import builtin
from neurosim.audit.interventions.arrays import bits, poison
from neurosim.audit.interventions.draws import Draws
from neurosim.audit.interventions.places import ASKED, Place, places
from neurosim.audit.interventions.watched import Watched
from neurosim.audit.interventions.wiring import Wiring
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench
    from neurosim.core.typing import Array

BATCHES, TIMES = 2, 2  # of an epoch; how often every phase comes at least
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
        self.bench, self.evidence, self.light = bench, evidence, light
        self.target, self.rule, self.graph = bench.target, bench.target.rule, bench.graph
        self.watched = Watched(bench, evidence, rng)
        self.bases, self.given = self.watched.bases, self.watched.given
        self._left: Left = {}
        self._redrawn: set[str] = set()

    def answer(self) -> None:
        """All answers."""
        self.heads_matched()
        before = self.watched.copies()
        steps = places(self.rule, BATCHES, TIMES)
        resumed = self._epoch_end(steps)
        saved = self._run(steps, resumed)
        self._resume(steps, resumed, saved)
        self.watched.put(before)
        draws = Draws(self.watched, self.light)
        draws.again(self._redrawn, steps[0], steps[-1])
        draws.rates({p.rate.name for p in self.rule.plasticities()}, partial(self._rates, steps[-1]))
        draws.far()
        Wiring(self.watched).answer()
        self.watched.put(before)
        self.evidence.batches, self.evidence.epochs = len(steps), len({place.epoch for place in steps})
        text = f"{len(steps)} batches over {steps[-1].epoch + 1} epochs and a checkpoint: no array changes outside its steps"
        self.evidence.add_check("declared", text)

    # -- the loop

    @staticmethod
    def _epoch_end(steps: list[Place]) -> int:
        """The first place of an epoch near the middle, where training is resumed from a checkpoint."""
        first = [n for n, place in enumerate(steps) if n and place.epoch != steps[n - 1].epoch]
        return min(first, key=lambda n: abs(n - len(steps) // 2), default=len(steps) - 1)

    def _run(self, steps: list[Place], resumed: int) -> dict[str, Array]:
        """Train at all places; gives what all arrays held before one of them."""
        watched = self.watched
        watched.now, saved = watched.copies(), {}
        for number, place in enumerate(steps):
            if number == resumed:
                watched.watch(place, "what is asked at a checkpoint", self._ask)
                saved = watched.copies()
            self._hooks(place)
            for site in self.graph.phases.get(place.phase, []):
                self.bench.run(site)
                self._left[number, site] = {k: b.array.copy() for k, b in site.step.changed.items()}
                require_finite(f"{site} at {place}", {b.name: b.array for b in site.step.changed.values()})
                own = {b.base.name for b in site.step.changed.values()}
                watched.note(own)
                if not builtin(site.step):  # a kernel of this package does what it declares
                    self._declared(site, place, own)
            self._declared(None, place, set())
            watched.watch(place, "figures()", self._figures)
        return saved

    def _declared(self, site: Site | None, place: Place, own: set[str]) -> None:
        """Nothing has changed that no step declares."""
        for name in self.watched.moved():
            if not self._is_alias(name, own) and not (site is None and self.graph.aliases):
                where = f"in {site}, at {place}, and is not declared there" if site else f"in a step, at {place}"
                self.watched.fail("declared", f"{name} changes {where}")

    def _is_alias(self, name: str, own: set[str]) -> bool:
        return any({a.name, b.name} & own and name in (a.name, b.name) for a, b in self.graph.aliases)

    def _hooks(self, place: Place) -> None:
        """All that happens before the steps of a batch."""
        watch = self.watched.watch
        rates = {p.rate.name for p in self.rule.plasticities() if p.rate.role is Role.RATE}
        watch(place, "phase() and plasticities()", lambda: self._rates(place), rates)
        if self.target.show is not None:
            show = self.target.show
            watch(place, "showing the views", lambda: show(place.epoch, place.batch), self.given)
            self._redrawn |= set(watch(place, "draw()", lambda: self._draw(place), self.given))
        else:
            watch(place, "draw()", lambda: self.target.present_batch(place.batch, place.epoch), self.given)

    def _present(self, place: Place) -> None:
        """The same as `_hooks`, and nothing is watched."""
        if self.target.show is None:
            self.target.present_batch(place.batch, place.epoch)
        else:
            self.target.show(place.epoch, place.batch)
            self._draw(place)

    def _draw(self, place: Place) -> None:
        self.rule.draw(place.epoch, place.batch)

    def _rates(self, place: Place) -> None:
        """What the trainer asks and sets: the phase, and the rates by the schedule."""
        self.rule.epochs(ASKED)
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

    # -- before training

    def heads_matched(self) -> None:
        """Before a training every head is multiplied by one number, and nothing else changes."""
        heads = {s.name for n in self.rule.errors for s in self.rule.network.head(n).synapses}
        for name, (old, new) in self.target.matched.items():
            if self._is_alias(name, heads - {name}):
                continue
            gains = (new[old != 0] / old[old != 0]).astype(float)
            if name not in heads:
                text = f"{name} changes while heads are matched, before training: no step declares it"
                self.watched.fail("declared", text)
            elif gains.size and np.ptp(gains) > 1e-3 * np.abs(gains).max():
                self.watched.fail("declared", f"{name} is not multiplied by one number while heads are matched")

    # -- a checkpoint

    def _resume(self, steps: list[Place], first: int, saved: dict[str, Array]) -> None:
        """From what a checkpoint keeps alone, the same batches leave the same bits."""
        different = self._continued(steps, first, saved, self._not_kept())
        if not different:
            return
        for name in sorted(self._not_kept()):
            if self._continued(steps, first, saved, {name}):
                text = f"{name} ({self.bases[name].role}) holds something from batch to batch that no checkpoint keeps"
                self.watched.fail("declared", f"{text}: after one, {different} leaves something else")
                return
        text = f"after a checkpoint {different} leaves something else, though every array is as it was: hidden state"
        self.watched.fail("declared", text)

    def _not_kept(self) -> set[str]:
        """What a checkpoint does not keep, and a new model does not make anew by itself."""
        made = {b.base.name for s in self.graph.sites for b in s.step.changed.values()}
        new = {name for name in self.bases if name in self._redrawn or name in made}
        return {name for name in new if not self.bases[name].role.is_saved}

    def _continued(self, steps: list[Place], first: int, saved: dict[str, Array], lost: set[str]) -> str:
        """Train on from a place with some arrays lost; the first step that leaves something else, in words."""
        self.watched.put(saved)
        for name in lost:
            poison(self.bases[name].array)
        for number in range(first, len(steps)):
            place = steps[number]
            self._rates(place)
            self._present(place)
            for site in self.graph.phases.get(place.phase, []):
                self.bench.run(site)
                for argument, buffer in site.step.changed.items():
                    if not np.array_equal(bits(buffer.array.copy()), bits(self._left[number, site][argument])):
                        return f"{site} at {place}"
        return ""
