"""Condition (iii) from the declarations: which forward weights come down into an update, and by which way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from neurosim.audit.graph.updates import reads_itself
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.audit.graph.graph import Graph, Site, Slice
    from neurosim.parts.feedback import Feedback


@dataclass
class Way:
    """How one forward weight reaches updates.

    Args:
        words: the way down, step by step.
        updates: the weights that it reaches.
    """

    words: list[str] = field(default_factory=list)
    updates: list[str] = field(default_factory=list)


def transported(graph: Graph, slices: dict[Site, Slice]) -> dict[str, Way]:
    """Forward weight -> how it comes down into updates; activities stop the walk.

    Args:
        graph: of all phases.
        slices: from `neurosim.audit.graph.updates.slices_of`.
    """
    found: dict[str, Way] = {}
    for start, one in slices.items():
        targets = [b.base.name for b in start.step.changed.values() if b.role.is_weight]
        for name, uses in one.uses.items():
            forward = [b.name for b in graph.members(name) if graph.is_forward_weight(b)]
            users = [site for site, buffer in uses if not reads_itself(site, buffer)]
            if not forward or not users:
                continue
            way = found.setdefault(forward[0], Way())
            words = _words(one.path(users[0]))
            if not way.words or (words[-1].startswith("feedback") and not way.words[-1].startswith("feedback")):
                way.words = words  # the way into an error shows more than the way into a copy
            way.updates += [t for t in targets if t not in way.updates]
    for way in found.values():
        way.updates.sort(key=lambda weight: _place(graph, weight))
    return found


def carriers(graph: Graph, slices: dict[Site, Slice]) -> dict[str, list[Site]]:
    """Forward weight -> every site on a way by which it comes down into an update."""
    found: dict[str, list[Site]] = {}
    for walk in slices.values():
        for name, uses in walk.uses.items():
            forward = [b.name for b in graph.members(name) if graph.is_forward_weight(b)]
            for site, buffer in uses if forward else ():
                if not reads_itself(site, buffer):
                    found.setdefault(forward[0], []).append(site)
    return found


def answer_transport(
    graph: Graph, slices: dict[Site, Slice], feedbacks: Sequence[Feedback], evidence: Evidence
) -> None:
    """Add to the evidence what the declarations answer to condition (iii).

    Args:
        graph: of all phases.
        slices: from `neurosim.audit.graph.updates.slices_of`.
        feedbacks: the feedback parts as the rule names them.
        evidence: of the structure.
    """
    for name, way in transported(graph, slices).items():
        words = (name, *way.words, "update of " + ", ".join(way.updates))
        evidence.add_finding("iii", " -> ".join(words), words)
    for part in feedbacks:
        _declared_path(graph, part, evidence)
    senders = [s for s in graph.sites if s.kind in (Kind.DELIVER, Kind.TRANSMIT) and s not in graph.forward]
    sent = dict.fromkeys(b.name for s in senders for b in s.step.reads.values() if b.role.is_weight)
    through = ", ".join(sent) or "no array"
    evidence.add_check(
        "iii",
        f"{len(slices)} updates walked back: errors come down through {through}; "
        "no forward weight is read before a stored activity",
    )


def _declared_path(graph: Graph, part: Feedback, evidence: Evidence) -> None:
    """A feedback part that is not declared as back-propagation sends through no forward weight."""
    sent = part.sent
    if part.kind == "bp" or sent.base.name not in graph.bases:
        return
    name = graph.class_of(sent)
    if any(graph.is_forward_weight(b) for b in graph.members(name)):
        evidence.add_finding(
            "iii", f"feedback {part.synapse.name} is declared {part.kind} and sends through {name}, a forward weight"
        )


def _place(graph: Graph, weight: str) -> int:
    """When a weight's outer product is summed: the higher layer first, as its error comes first."""
    owner = graph.bases[weight].owner
    made = [(b, n) for n, s in enumerate(graph.sites) for b in s.step.changed.values() if b.role is Role.CHANGE]
    return min((n for b, n in made if b.owner == owner), default=len(graph.sites))


def _words(path: list[Site]) -> list[str]:
    words = []
    for site in path:
        if site.kind is Kind.DELIVER:
            words.append(f"feedback into {site.result.owner}")
            break
        if site.kind not in (Kind.GATE, Kind.HEBBIAN):
            words.append(f"{site.result.name} (step {site.number}: {site.step.label})")
    return words
