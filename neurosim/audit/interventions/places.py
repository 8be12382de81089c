"""Places in a training: which epoch, which batch, which phase, in the order in which the rule asks for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosim.audit.graph.kinds import builtin

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph
    from neurosim.rules.base import Rule

ASKED = 2  # epochs that are asked for: a layer-wise rule in greedy order has so many for each layer
LONGEST = 200  # batches after which a phase that has not come yet is given up


@dataclass(frozen=True)
class Place:
    """One batch of a training.

    Args:
        epoch, batch: counted from 0.
        phase: what it trains.
    """

    epoch: int
    batch: int
    phase: str

    def __str__(self) -> str:
        return f"batch {self.batch + 1} of epoch {self.epoch + 1}"


def places(rule: Rule, batches: int, times: int) -> list[Place]:
    """The places of a short training: every epoch of so many batches, and on until every phase has come often enough.

    Args:
        rule: wired.
        batches: in an epoch.
        times: how often every phase comes at least.
    """
    found = []
    for epoch in range(max(1, rule.epochs(ASKED))):
        found += [Place(epoch, batch, rule.phase(epoch, batch, ASKED)) for batch in range(batches)]
    seen = Counter(place.phase for place in found)
    epoch, batch = found[-1].epoch, batches
    while any(seen[phase] < times for phase in rule.phases) and batch < LONGEST:
        place = Place(epoch, batch, rule.phase(epoch, batch, ASKED))
        if seen[place.phase] < times:
            found.append(place)
            seen[place.phase] += 1
        batch += 1
    return found


def chosen(rule: Rule, phases: list[str], times: int) -> list[Place]:
    """Places at which every phase comes exactly so often, at first in one epoch and then in the next; in the rule's order.

    Args:
        rule: wired.
        phases: of the plans that are run.
        times: how often each of them comes.
    """
    seen: Counter[str] = Counter()
    found = []
    for place in places(rule, 1, times):
        seen[place.phase] += 1
        if place.phase in phases and seen[place.phase] <= times:
            found.append(place)
    last = found[-1].epoch if found else 0
    for phase in phases:  # what the rule never asks for is audited too: its plan is there
        found += [Place(last, LONGEST + n, phase) for n in range(times - min(times, seen[phase]))]
    return found


def counts(graph: Graph) -> bool:
    """Whether a kernel from outside this package keeps something that is no weight from batch to batch."""
    kept = [b for s in graph.sites if not builtin(s.step) for b in s.step.updates.values()]
    return any(b.lasts and not b.role.is_weight for b in kept)
