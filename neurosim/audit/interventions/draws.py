"""What a rule draws between batches: a function of seed and place alone, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from neurosim.audit.depth import Part, asked
from neurosim.audit.evidence import Grade
from neurosim.audit.interventions.places import Place
from neurosim.audit.interventions.watched import differing
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.interventions.watched import Watched
    from neurosim.core.typing import Array

FAR = (0, 1, 2, 3, 7, 20, 99)  # epochs and batches at which hooks are called besides: some wait before they do a thing


class Draws:
    """Asks a rule to draw again, with every other array replaced, and far from where training begins.

    Args:
        watched: the arrays.
        light: at few places.
    """

    def __init__(self, watched: Watched, light: bool = False):
        self.watched, self.rule, self.light = watched, watched.bench.target.rule, light

    def again(self, redrawn: set[str], *where: Place) -> None:
        """What is drawn is a function of seed and place alone: all else replaced, the same bits."""
        self.watched.now = self.watched.copies()
        names = redrawn & self.watched.given
        for place in where if names else ():
            before = self.watched.copies()
            draw = partial(self.rule.draw, place.epoch, place.batch)
            first = self.watched.outcome(draw, before, names, set())
            again = self.watched.outcome(draw, before, names, set(self.watched.bases))
            self.watched.put(before)
            if first is None or again is None:
                text = f"draw() fails at {place} once all arrays are replaced: it reads some of them"
                self.watched.fail("declared", text)
                continue
            if changed := differing(first, again):
                self._drawn_of(changed, place, before)
        if names:
            text = f"{', '.join(sorted(names))} drawn again with every array replaced: no bit differs"
            self.watched.evidence.add_check("declared", text)

    def _drawn_of(self, changed: list[str], place: Place, before: dict[str, Array]) -> None:
        """Name what reaches what is drawn."""
        name = changed[0]
        sources = self.watched.sources(partial(self.rule.draw, place.epoch, place.batch), before, {name})
        self.watched.put(before)
        for source in sources:
            self.watched.reaches(source, name, "draw()")
        if not sources:
            text = f"{name} is drawn otherwise when it is drawn again at {place}: no function of seed and place"
            self.watched.fail("declared", text)

    def rates(self, names: set[str], put: Callable[[], None]) -> None:
        """Rates follow a schedule; one that follows what happens is a number that all synapses share.

        Args:
            names: of the rates.
            put: asks the rule for them, as a trainer does.
        """
        before, names = self.watched.copies(), names & self.watched.bases.keys()
        one, other = (
            self.watched.outcome(put, before, names, replaced) for replaced in (set(), set(self.watched.bases))
        )
        if one is not None and other is not None and (changed := differing(one, other)):
            for source in self.watched.sources(put, before, set(changed[:1])):
                base = self.watched.bases[source]
                if self.watched.graph.is_forward_weight(base) or base.role is Role.LABEL:
                    self.watched.reaches(source, changed[0], "the schedule of rates")
                else:
                    text = f"{changed[0]}, one number for all synapses, moves with {source}"
                    self.watched.evidence.lower_grade(Grade.BROADCAST_SCALAR, text)
        self.watched.put(before)

    def far(self) -> None:
        """Hooks at places far from the first."""
        self.watched.now = self.watched.copies()
        last = self.rule.epochs(100)
        many = None if asked(Part.FAR, self.light) else 2
        epochs = [e for e in FAR if e < last][:many]
        for epoch in epochs:
            for batch in FAR[:many]:
                place = Place(epoch, batch, "")
                try:
                    self.rule.phase(epoch, batch, 100)
                    self.rule.progress(epoch, 0.5, 100)
                except (IndexError, ZeroDivisionError):
                    continue
                self.watched.watch(place, "draw()", partial(self.rule.draw, epoch, batch), self.watched.given)
