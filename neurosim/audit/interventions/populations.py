"""Which activities belong to the two populations that a weight array connects: found by what the weights move, not by owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.audit.graph.updates import updates_of
from neurosim.audit.interventions.products import pair_of
from neurosim.audit.interventions.trial import has_rows
from neurosim.core.kernel import Kind

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph, Site, Slice
    from neurosim.core.buffer import Buffer


def of_others(graph: Graph, site: Site) -> list[str]:
    """Names of activities with which a step works on an error, and that belong to neither population of the weights it changes.

    Args:
        graph: of all phases.
        site: a step without weights, of which changes are made.
    """
    made = {maker for b in site.inputs.values() if has_rows(b) for maker in graph.makers(site, b)[0]}
    if made <= graph.forward:
        return []  # what is compared with what is no matter of units: a prediction, for one, comes from elsewhere
    known = {name for weight, products in _weights_of(graph, site) for name in _own_side(graph, weight, products)}
    found = []
    for buffer in site.inputs.values():
        makers = graph.makers(site, buffer)[0] if has_rows(buffer) and buffer.dtype.kind == "f" else []
        if known and makers and set(makers) <= graph.forward and graph.class_of(buffer) not in known:
            found.append(buffer.name)
    return found


def _weights_of(graph: Graph, site: Site) -> list[tuple[Buffer, list[Site]]]:
    """The weights whose changes a step's result enters without passing other weights, and the steps between."""
    found: list[tuple[Buffer, list[Site]]] = []
    for update in updates_of(graph):
        walk: Slice = graph.slice(update)
        if site not in walk.parents or update is site:
            continue
        way = walk.path(site)[1:-1]
        if not any(b.role.is_weight for step in way for b in step.inputs.values()):
            found += [(b.base, way) for b in update.step.changed.values() if b.role.is_weight]
    return found


def _own_side(graph: Graph, weight: Buffer, way: list[Site]) -> set[str]:
    """Names of the activities of the population that a factor belongs to: not of that with whose activity it is multiplied."""
    sites = [s for s in graph.forward if any(b.base is weight for b in s.inputs.values())]
    below = _onwards(graph, {graph.class_of(b) for s in sites for b in s.inputs.values() if not b.role.is_weight})
    above = _onwards(graph, {graph.class_of(b) for s in sites for b in s.step.changed.values()})
    pairs = [pair for site in way if site.kind is Kind.HEBBIAN and (pair := pair_of(site))]
    causes = {graph.class_of(cause) for cause, _ in pairs}
    if causes and causes <= below - above:
        return above
    return below if causes and causes <= above - below else below | above


def _onwards(graph: Graph, found: set[str]) -> set[str]:
    """Activities, and all that steps without weights make of them on the way up."""
    while True:
        more = {
            graph.class_of(b)
            for s in graph.forward
            if not any(b.role.is_weight for b in s.inputs.values())
            and any(graph.class_of(b) in found for b in s.inputs.values())
            for b in s.step.changed.values()
        } - found
        if not more:
            return found
        found |= more
