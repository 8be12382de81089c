"""The graph of a plan as a picture: a column a buffer, a row a step, transported weights in magenta. Plain SVG."""

from __future__ import annotations

from html import escape

from neurosim.audit.graph.graph import FORWARD, Graph, Site
from neurosim.core.buffer import Buffer

# The colours of docs/plan_picture.py: what a buffer does.
COLOURS = {
    "image": "#7f8c8d", "activity": "#2471a3", "forward weight": "#c27c0e", "error": "#c0392b", "feedback weight": "#7d3c98",
    "inverse weight": "#a0522d", "prediction weight": "#b7950b", "memory": "#148f77", "change": "#5b8c1a", "label": "#000000",
}  # fmt: skip
OTHER, TRANSPORT, INK = "#95a5a6", "#e6007e", "#2c3e50"
ROW, COLUMN, LEFT, TOP = 19, 17, 330, 96
LEFT_OUT = ("rate", "deformation", "value", "plasticity")  # roles without a column: they clutter and carry nothing


def svg(graph: Graph, carried: dict[str, list[Site]] | None = None) -> str:
    """One picture of all phases, one below another.

    Args:
        graph: to draw.
        carried: forward weight -> the sites through which it is carried down, from `carriers`.
    """
    parts, y, width = [], 10, 0
    for phase, sites in graph.phases.items():
        columns = _columns(sites)
        parts += _lesson(phase, sites, columns, y, carried or {})
        width = max(width, LEFT + COLUMN * len(columns) + 20)
        y += TOP + ROW * len(sites) + 40
    body, legend = "\n".join(parts), _legend(y)
    size = f'width="{max(width, 900)}" height="{y + 40}" viewBox="0 0 {max(width, 900)} {y + 40}"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n{body}\n{legend}\n</svg>\n')  # fmt: skip


def _columns(sites: list[Site]) -> dict[str, tuple[int, Buffer]]:
    bases = {b.base.name: b.base for s in sites for b in s.step.buffers.values() if b.role not in LEFT_OUT}
    return {name: (place, base) for place, (name, base) in enumerate(bases.items())}


def _lesson(title: str, sites: list[Site], columns, y: int, carried: dict[str, list[Site]]) -> list[str]:
    parts = [_text(10, y + 14, title, INK, 'font-size="14" font-weight="bold"')]
    first = y + TOP
    for name, (place, base) in columns.items():
        x = LEFT + COLUMN * place
        used = [n for n, s in enumerate(sites) if any(b.base is base for b in s.step.buffers.values())]
        colour = COLOURS.get(base.role, OTHER)
        parts.append(_text(x + 4, first - 8, name, colour, f'transform="rotate(-60 {x + 4} {first - 8})"'))
        parts.append(_line(x, first + ROW * used[0] + 6, x, first + ROW * used[-1] + 6, colour, 'stroke-opacity="0.45"'))
    for n, site in enumerate(sites):
        parts += _row(site, columns, first + ROW * n + 6, carried)
    return parts


def _row(site: Site, columns, y: int, carried: dict[str, list[Site]]) -> list[str]:
    through = [name for name, sites in carried.items() if site in sites]
    parts = [_text(26, y + 4, str(site.number), OTHER, 'text-anchor="end"'),
             _text(32, y + 4, _short(site.step.equation), TRANSPORT if through else INK)]  # fmt: skip
    places = {b.base.name: columns[b.base.name][0] for b in site.step.buffers.values() if b.base.name in columns}
    if places:
        ends = [LEFT + COLUMN * p for p in places.values()]
        style = 'stroke-width="2.5"' if through else 'stroke-opacity="0.35"'
        parts.append(_line(min(ends), y, max(ends), y, TRANSPORT if through else INK, style))
    for buffers, fill in ((site.step.reads, False), (site.step.changed, True)):
        for b in buffers.values():
            if b.base.name in columns:
                colour = TRANSPORT if b.base.name in through else COLOURS.get(b.role, OTHER)
                x = LEFT + COLUMN * places[b.base.name]
                inside = colour if fill else "white"
                told = escape(f"{b.name} ({b.role}) {'changed' if fill else 'read'} by step {site.number}: {site.step.label}")
                parts.append(f'<circle cx="{x}" cy="{y}" r="5" fill="{inside}" stroke="{colour}" stroke-width="1.6">'
                             f"<title>{told}</title></circle>")  # fmt: skip
    return parts


def _legend(y: int) -> str:
    parts, x = [], 10
    for role, colour in [*COLOURS.items(), ("carries a forward weight", TRANSPORT)]:
        parts.append(f'<circle cx="{x + 5}" cy="{y + 6}" r="5" fill="{colour}"/>' + _text(x + 14, y + 10, role, INK))
        x += 28 + 6 * len(role)
    told = "open: read; full: changed; a row is a step, numbered as in neurosim explain"
    return "\n".join([*parts, _text(10, y + 30, told, OTHER)])


def _short(text: str) -> str:
    return text if len(text) <= 48 else text[:47] + "…"


def _text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" {more}>{escape(text)}</text>'


def _line(x1, y1, x2, y2, colour: str, more: str = "") -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" {more}/>'


def carriers(graph: Graph) -> dict[str, list[Site]]:
    """Forward weight -> every site on a way by which it comes down into an update."""
    from neurosim.audit.graph.structure import Structure

    structure, found = Structure(graph), {}
    for walk in structure.slices.values():
        for name, uses in walk.met.items():
            forward = [b.name for b in graph.members(name) if b.role in FORWARD]
            for site, buffer in uses if forward else ():
                if not structure.own(site, buffer):
                    found.setdefault(forward[0], []).append(site)
    return found
