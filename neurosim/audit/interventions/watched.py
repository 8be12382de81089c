"""Every array of a rule, watched: what a hook changes, and what that depends on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.interventions.arrays import bits, checksum, other_values
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.audit.interventions.bench import Bench
    from neurosim.audit.interventions.places import Place
    from neurosim.core.typing import Array

OUTSIDE = "it happens outside the steps, where declarations do not reach"


class Watched:
    """Knows what every array held when it was last looked at.

    Args:
        bench: recorded.
        evidence: to which the answers are added.
        rng: of the numbers put in place of others.

    Attributes:
        bases: every array of the plans and of the rule's synapses, by name.
        given: names of those that no step makes and that are no weights.
    """

    def __init__(self, bench: Bench, evidence: Evidence, rng: np.random.Generator):
        self.bench, self.evidence, self.rng, self.graph = bench, evidence, rng, bench.graph
        self.bases = {b.name: b for b in bench.bases}
        for synapse in bench.target.rule.synapses():  # those that no step touches are watched too
            self.bases.setdefault(synapse.name, synapse.weight)
        made = {b.base.name for s in self.graph.sites for b in s.step.changed.values()}
        self.given = {name for name, b in self.bases.items() if name not in made and not b.role.is_weight}
        self.now = self.copies()
        self._sums: dict[str, int] = {}

    def copies(self) -> dict[str, Array]:
        return {name: b.array.copy() for name, b in self.bases.items()}

    def put(self, values: dict[str, Array]) -> None:
        for name, array in values.items():
            self.bases[name].array[...] = array

    def note(self, names: Collection[str]) -> None:
        """Some arrays may have changed, as was declared."""
        for name in names:
            self.now[name] = self.bases[name].array.copy()
            self._sums[name] = checksum(self.bases[name].array)

    def moved(self) -> list[str]:
        """Arrays that changed since they were last looked at; they are known as they are now afterwards."""
        found = []
        for name, base in self.bases.items():
            total = checksum(base.array)
            if total != self._sums.get(name):
                self._sums[name] = total
                if not np.array_equal(bits(base.array), bits(self.now[name])):
                    found.append(name)
                    self.now[name] = base.array.copy()
        return found

    def watch(self, place: Place, hook: str, call: Callable[[], object], allowed: Collection[str] = ()) -> list[str]:
        """Call a hook; what it changes and may not is a finding. Gives what it changed."""
        before = dict(self.now)
        call()
        moved = self.moved()
        wrong = [name for name in moved if name not in allowed]
        if wrong:
            self._outside(wrong, hook, place, call, before)
            self.put(self.now)
        return moved

    def _outside(
        self, wrong: list[str], hook: str, place: Place, call: Callable[[], object], before: dict[str, Array]
    ) -> None:
        """Say which array changed, and what reaches it."""
        name = wrong[0]
        more = f" (and {', '.join(wrong[1:4])})" if len(wrong) > 1 else ""
        self.fail("declared", f"{name}{more} changes in {hook}, before {place}, outside every step")
        for source in self.sources(call, before, set(wrong)):
            self.reaches(source, name, hook)

    def reaches(self, source: str, name: str, hook: str) -> None:
        """One array reaches another in a hook."""
        role = self.bases[source].role
        if self.graph.is_forward_weight(self.bases[source]):
            words = (source, f"{hook} between two batches", name)
            self.evidence.add_finding("iii", f"{source} reaches {name} in {hook}", words, why=OUTSIDE)
        elif role is Role.LABEL:
            self.fail("iv", f"the label {source} reaches {name} in {hook}")
        else:
            self.fail("declared", f"{source} reaches {name} in {hook}")

    def sources(self, call: Callable[[], object], before: dict[str, Array], wanted: set[str]) -> list[str]:
        """Arrays on which what a hook leaves in some others depends."""
        plain, again = (self.outcome(call, before, wanted, set()) for _ in range(2))
        if plain is None or again is None or differing(plain, again):
            return []  # it never leaves the same twice
        found = []
        for name in self.bases:
            other = None if name in wanted else self.outcome(call, before, wanted, {name})
            if other is not None and differing(plain, other):
                found.append(name)
        return found

    def outcome(
        self, call: Callable[[], object], before: dict[str, Array], wanted: set[str], replaced: set[str]
    ) -> dict[str, Array] | None:
        """What a hook leaves in some arrays, with others replaced; None where it fails then."""
        self.put(before)
        for name in replaced:
            base = self.bases[name]
            base.array[...] = other_values(before[name], self.rng)
        try:
            call()
        except Exception:  # somebody else's hook may not stand these numbers: nothing is known then
            return None
        return {name: self.bases[name].array.copy() for name in wanted}

    def fail(self, condition: str, text: str) -> None:
        self.evidence.add_finding(condition, text, why=OUTSIDE)


def differing(one: dict[str, Array], other: dict[str, Array]) -> list[str]:
    """The arrays whose bits differ."""
    return [name for name, values in one.items() if not np.array_equal(bits(values), bits(other[name]))]
