"""The updates of weights in a graph: where they are, what they are made of, which populations a weight connects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph, Site, Slice
    from neurosim.core.buffer import Buffer


def updates_of(graph: Graph) -> list[Site]:
    """Sites that change a weight array."""
    return [s for s in graph.sites if any(b.role.is_weight for b in s.step.changed.values())]


def slices_of(graph: Graph) -> dict[Site, Slice]:
    """Every update, and what it is made of."""
    return {site: graph.slice(site) for site in updates_of(graph)}


def reads_itself(site: Site, buffer: Buffer) -> bool:
    """Whether a step changes the weights that it reads, or makes their own change of them: they decay; that is no transport."""
    weights = [b for b in site.inputs.values() if b.role.is_weight]
    own = any(b.base is buffer.base for b in site.step.updates.values())
    if site.kind is Kind.PLASTICITY:
        return len(weights) == 1 and own
    made = [b for b in site.step.changed.values() if b.role is Role.CHANGE]
    return bool(made) and all(b.owner == buffer.owner and b.base.shape == buffer.base.shape for b in made)


def populations_of(graph: Graph, weight: Buffer) -> set[frozenset[str]]:
    """The pairs of populations (owners) that a weight array connects, wherever it is used."""
    sent = {weight.base.name}
    for site in graph.sites:  # an array wholly made of it is used in its place
        if site.kind is Kind.SEND and any(b.base.name in sent for b in site.inputs.values()):
            sent |= {b.base.name for b in site.step.changed.values() if b.owner == weight.owner}
    found: set[frozenset[str]] = set()
    for site in graph.sites:
        carries = site.kind in (Kind.TRANSMIT, Kind.DELIVER)
        if not carries or not any(b.base.name in sent for b in site.inputs.values()):
            continue
        for b in site.inputs.values():
            if not b.role.is_weight:
                found |= {frozenset((b.owner, out.owner)) for out in site.step.changed.values()}
    return found


def same_populations(graph: Graph) -> dict[str, str]:
    """Owner of activities -> a name that all owners of the same population share.

    Whatever one weight array carries activity to, belongs to one population, whoever is said to own it.
    """
    names = {b.owner: b.owner for b in graph.bases.values()}
    for name in sorted(graph.carries):
        sites = [s for s in graph.sites if s in graph.forward and any(b.base.name == name for b in s.inputs.values())]
        ends = [{b.owner for s in sites for b in s.step.changed.values()}]
        ends.append({b.owner for s in sites for b in s.inputs.values() if not b.role.is_weight} - ends[0])
        for owners in ends:
            known = {names[owner] for owner in owners}
            names = {owner: min(known) if shared in known else shared for owner, shared in names.items()}
    return names
