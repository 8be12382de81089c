"""The graph of a plan as a picture: a column a buffer, a row a step, transported weights in magenta. Plain SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from neurosim.audit.graph import transport
from neurosim.audit.graph.updates import slices_of
from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph, Site

# The colours of docs/plan_picture.py: what a buffer does.
COLOURS = {
    Role.IMAGE: "#7f8c8d",
    Role.ACTIVITY: "#2471a3",
    Role.FORWARD_WEIGHT: "#c27c0e",
    Role.ERROR: "#c0392b",
    Role.FEEDBACK_WEIGHT: "#7d3c98",
    Role.INVERSE_WEIGHT: "#a0522d",
    Role.PREDICTION_WEIGHT: "#b7950b",
    Role.MEMORY: "#148f77",
    Role.CHANGE: "#5b8c1a",
    Role.LABEL: "#000000",
}
OTHER, TRANSPORT, INK = "#95a5a6", "#e6007e", "#2c3e50"
ROW, COLUMN, LEFT, TOP = 19, 17, 330, 96
LEFT_OUT = (Role.RATE, Role.DEFORMATION, Role.VALUE, Role.PLASTICITY)  # no column: they clutter and carry nothing

Columns = dict[str, tuple[int, Buffer]]  # name of a base -> its place and the base


def carriers(graph: Graph) -> dict[str, list[Site]]:
    """Forward weight -> every site on a way by which it comes down into an update."""
    return transport.carriers(graph, slices_of(graph))


def svg(graph: Graph, carried: dict[str, list[Site]] | None = None) -> str:
    """One picture of all phases, one below another.

    Args:
        graph: to draw.
        carried: forward weight -> the sites through which it is carried down, from `carriers`.
    """
    parts: list[str] = []
    y, width = 10, 0
    for phase, sites in graph.phases.items():
        columns = _columns(sites)
        parts += _phase(phase, sites, columns, y, carried or {})
        width = max(width, LEFT + COLUMN * len(columns) + 20)
        y += TOP + ROW * len(sites) + 40
    body, legend = "\n".join(parts), _legend(y)
    size = f'width="{max(width, 900)}" height="{y + 40}" viewBox="0 0 {max(width, 900)} {y + 40}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n{legend}\n</svg>\n'
    )


def _columns(sites: list[Site]) -> Columns:
    bases = {b.base.name: b.base for s in sites for b in s.step.buffers.values() if b.role not in LEFT_OUT}
    return {name: (place, base) for place, (name, base) in enumerate(bases.items())}


def _phase(title: str, sites: list[Site], columns: Columns, y: int, carried: dict[str, list[Site]]) -> list[str]:
    parts = [_text(10, y + 14, title, INK, 'font-size="14" font-weight="bold"')]
    first = y + TOP
    for name, (place, base) in columns.items():
        x = LEFT + COLUMN * place
        rows = [n for n, s in enumerate(sites) if any(b.base is base for b in s.step.buffers.values())]
        colour = COLOURS.get(base.role, OTHER)
        parts.append(_text(x + 4, first - 8, name, colour, f'transform="rotate(-60 {x + 4} {first - 8})"'))
        low, high = first + ROW * rows[0] + 6, first + ROW * rows[-1] + 6
        parts.append(_line(x, low, x, high, colour, 'stroke-opacity="0.45"'))
    for n, site in enumerate(sites):
        parts += _row(site, columns, first + ROW * n + 6, carried)
    return parts


def _row(site: Site, columns: Columns, y: int, carried: dict[str, list[Site]]) -> list[str]:
    through = [name for name, sites in carried.items() if site in sites]
    ink = TRANSPORT if through else INK
    parts = [
        _text(26, y + 4, str(site.number), OTHER, 'text-anchor="end"'),
        _text(32, y + 4, _short(site.step.equation), ink),
    ]
    names = {b.base.name for b in site.step.buffers.values()} & columns.keys()
    if names:
        ends = [LEFT + COLUMN * columns[name][0] for name in names]
        style = 'stroke-width="2.5"' if through else 'stroke-opacity="0.35"'
        parts.append(_line(min(ends), y, max(ends), y, ink, style))
    for buffers, changed in ((site.step.reads, False), (site.step.changed, True)):
        for b in buffers.values():
            if b.base.name in columns:
                colour = TRANSPORT if b.base.name in through else COLOURS.get(b.role, OTHER)
                parts.append(_circle(LEFT + COLUMN * columns[b.base.name][0], y, colour, site, b, changed))
    return parts


def _circle(x: int, y: int, colour: str, site: Site, buffer: Buffer, changed: bool) -> str:
    use = "changed" if changed else "read"
    title = escape(f"{buffer.name} ({buffer.role}) {use} by step {site.number}: {site.step.label}")
    fill = colour if changed else "white"
    return f'<circle cx="{x}" cy="{y}" r="5" fill="{fill}" stroke="{colour}" stroke-width="1.6"><title>{title}</title></circle>'


def _legend(y: int) -> str:
    parts, x = [], 10
    for role, colour in [*COLOURS.items(), ("carries a forward weight", TRANSPORT)]:
        dot = f'<circle cx="{x + 5}" cy="{y + 6}" r="5" fill="{colour}"/>'
        parts.append(dot + _text(x + 14, y + 10, role, INK))
        x += 28 + 6 * len(role)
    note = "open: read; full: changed; a row is a step, numbered as in neurosim explain"
    return "\n".join([*parts, _text(10, y + 30, note, OTHER)])


def _short(text: str) -> str:
    return text if len(text) <= 48 else text[:47] + "…"


def _text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" {more}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" {more}/>'
