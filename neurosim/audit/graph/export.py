"""The graph as text and as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurosim.audit.graph import transport
from neurosim.audit.graph.kinds import kernel_name
from neurosim.audit.graph.updates import slices_of

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph, Site
    from neurosim.core.buffer import Buffer

USES = ("reads", "writes", "updates", "sums")


@dataclass(frozen=True)
class Exported:
    """A graph without its plans: what another process, or a file, gives of it.

    Args:
        data: from `graph_json`.
        walked: from `graph_text`.
    """

    data: dict[str, Any]
    walked: str


def exported(graph: Graph | Exported) -> Exported:
    """All of a graph that is shown."""
    return graph if isinstance(graph, Exported) else Exported(graph_json(graph), graph_text(graph))


def graph_json(graph: Graph | Exported) -> dict[str, Any]:
    """Buffers, steps, aliases, and through which steps forward weights come down into an update, as data."""
    if isinstance(graph, Exported):
        return graph.data
    carried = transport.carriers(graph, slices_of(graph))
    return {
        "buffers": [_buffer(b) for b in graph.bases.values()],
        "steps": [_step(s, s in graph.forward) for s in graph.sites],
        "aliases": [[a.name, b.name] for a, b in graph.aliases],
        "carried": {name: [[s.phase, s.number] for s in sites] for name, sites in carried.items()},
    }


def _buffer(buffer: Buffer) -> dict[str, Any]:
    return {
        "name": buffer.name,
        "role": buffer.role,
        "owner": buffer.owner,
        "shape": list(buffer.shape),
        "axes": list(buffer.axes),
        "dtype": str(buffer.dtype),
    }


def _step(site: Site, forward: bool) -> dict[str, Any]:
    return {
        "phase": site.phase,
        "number": site.number,
        "label": site.step.label,
        "equation": site.step.equation,
        "kernel": kernel_name(site.step),
        "kind": site.kind,
        "forward": forward,
        **{use: {name: b.base.name for name, b in getattr(site.step, use).items()} for use in USES},
    }


def graph_text(graph: Graph | Exported) -> str:
    """Every update of a weight walked back to stored activities and to what no step makes."""
    if isinstance(graph, Exported):
        return graph.walked
    lines = []
    for phase, sites in graph.phases.items():
        lines.append(f"phase {phase!r}")
        for start in sites:
            targets = [b.name for b in start.step.updates.values() if b.role.is_weight]
            if targets:
                lines.append(f"  {targets[0]}  {start.step.equation}")
                walk = graph.slice(start)
                way = [s for s in list(walk.parents)[1:] if s.phase == phase]
                lines += [f"    {s.number:3}  {s.step.equation}" for s in way]
                lines.append(f"         stops at the activities {', '.join(sorted(walk.activities)) or 'none'}")
    return "\n".join(lines)
