"""Plans made anew: what numbers a rule puts into its steps when it lists them, and what those numbers depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.interventions.arrays import bits, other_values
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.interventions.watched import Watched
    from neurosim.core.step import Step

PLAIN = (bool, int, float, str, type(None), np.number, np.bool_)
Numbers = dict[str, object]  # where a number stands -> what it is, so that it can be compared
WHY = "it happens when the plan is made, where declarations do not reach"


class Wiring:
    """Lists the steps of every phase again, with arrays replaced: the same scalars and initial values must come.

    A trainer makes plans anew after a checkpoint, and in greedy order for every layer.

    Args:
        watched: the arrays.
    """

    def __init__(self, watched: Watched):
        self.watched, self.bases, self.evidence = watched, watched.bases, watched.evidence
        self.bench, self.rule = watched.bench, watched.bench.target.rule

    def answer(self) -> None:
        """All answers."""
        before = {name: b.array.copy() for name, b in self.bases.items()}
        known = self._numbers()
        for name, b in self.bases.items():
            if not np.array_equal(bits(b.array), bits(before[name])):
                text = f"{name} changes when the plan is made again, outside every step"
                self.evidence.add_finding("declared", text, why=WHY)
                return
        self._plain()
        if self._numbers() != known:
            text = "the plan comes out otherwise when it is made again, with every array as it was: hidden state"
            self.evidence.add_finding("declared", text, why=WHY)
            return
        if self._replaced(set(self.bases)) != known:
            for name in self.bases:
                other = self._replaced({name})
                if other != known:
                    self._reached(name, next(w for w in {**known, **other} if known.get(w) != other.get(w)))
        count = len(self.bases)
        text = f"plans made again with {count} arrays replaced: every scalar of every step is the same"
        self.evidence.add_check("declared", text)

    def _plain(self) -> None:
        """A scalar is a plain number, word or truth value: an array or an object may hold anything."""
        for site in self.bench.graph.sites:
            for name, value in site.step.scalars.items():
                if not isinstance(value, PLAIN):
                    text = f"the scalar {name} of {site} is a {type(value).__name__}, no plain number or word"
                    self.evidence.add_finding("declared", text, why="a graph knows buffers alone")

    def _reached(self, name: str, where: str) -> None:
        base = self.bases[name]
        text = f"{name} reaches {where} when the plan is made"
        if self.bench.graph.is_forward_weight(base):
            self.evidence.add_finding("iii", text, (name, "the plan is made", where), why=WHY)
        else:
            self.evidence.add_finding("iv" if base.role is Role.LABEL else "declared", text, why=WHY)

    def _replaced(self, names: set[str]) -> Numbers:
        """The numbers of the plans made with some arrays replaced."""
        before = {name: self.bases[name].array.copy() for name in names}
        for name in names:
            self.bases[name].array[...] = other_values(before[name], self.watched.rng)
        try:
            return self._numbers()
        except Exception:  # somebody else's wiring may not stand these numbers
            return {"what is listed": None}
        finally:
            for name, values in before.items():
                self.bases[name].array[...] = values

    def _numbers(self) -> Numbers:
        """Every scalar of every step, and what arrays that are new hold at first."""
        found: Numbers = {}
        for phase in self.rule.phases:
            for number, step in enumerate(self.rule.wire(phase), 1):
                place = f"of step {number} of {phase!r} ({step.label})"
                found[f"the kernel {place}"] = step.kernel.name
                for name, value in step.scalars.items():
                    found[f"the scalar {name} {place}"] = _compared(value)
                found |= self._new(step, place)
        return found

    def _new(self, step: Step, place: str) -> Numbers:
        """What arrays hold that this wiring has just made."""
        return {
            f"{name} {place}": b.base.array.tobytes()
            for name, b in step.buffers.items()
            if b.base.name not in self.bases or (self.bases[b.base.name] is not b.base and b.base.given)
        }


def _compared(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tobytes()
    return repr(value)
