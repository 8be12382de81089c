"""The graph of a plan as a picture: a row a step, a line a buffer, transported weights in magenta. Plain SVG, from data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from neurosim.core.roles import Role

# The colours of docs/plan_picture.py: what a buffer does.
COLOURS: dict[str, str] = {
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
LEFT_OUT = (Role.RATE, Role.DEFORMATION, Role.VALUE, Role.PLASTICITY)  # no line: they clutter and carry nothing
WIDTH, LEFT, ROW = 1400, 412, 20
NARROW, WIDE = 9, 24  # from one line to the next
LETTER = 6.1  # how wide a letter is, about
EQUATION, NAME = 52, 16  # letters that are shown
CARRIES = "carries a forward weight into an update"
NOTE = (
    "a row is a step, numbered as in neurosim explain; open: read, full: changed; a line: as long as a buffer is used"
)


@dataclass(frozen=True)
class _Line:
    """A buffer in one phase: the column that it stands in, and the rows from its first use to its last."""

    name: str
    column: int
    first: int
    last: int


def svg(graph: dict[str, Any]) -> str:
    """One picture of all phases, one below another.

    Args:
        graph: as data, from `neurosim.audit.graph.export.graph_json`.
    """
    phases: dict[str, list[dict[str, Any]]] = {}
    for step in graph["steps"]:
        phases.setdefault(step["phase"], []).append(step)
    roles = {b["name"]: b["role"] for b in graph["buffers"]}
    lines = {phase: _lines(steps, roles) for phase, steps in phases.items()}
    columns = max((line.column + 1 for each in lines.values() for line in each), default=0)
    pitch = max(NARROW, min(WIDE, (WIDTH - LEFT - 20) // max(columns, 1)))
    width = max(WIDTH, LEFT + pitch * columns + 20)
    parts, y = _legend({roles[line.name] for each in lines.values() for line in each}, bool(graph["carried"]), width)
    for phase, steps in phases.items():
        above = max((_label_rows(line.name) - line.first for line in lines[phase]), default=0)
        parts.append(_text(10, y + 14, phase, INK, 'font-size="15" font-weight="bold"'))
        first = y + 16 + ROW * max(above, 1)
        picture = _Phase(steps, lines[phase], roles, graph["carried"], first, pitch)
        parts += picture.parts()
        y = first + ROW * len(steps) + 24
    size = f'width="{width}" height="{y}" viewBox="0 0 {width} {y}"'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


# -- where what stands


def _lines(steps: list[dict[str, Any]], roles: dict[str, str]) -> list[_Line]:
    """A line for every buffer; where one has ended another may begin, below its name."""
    rows: dict[str, list[int]] = {}
    for row, step in enumerate(steps):
        for name in _uses(step):
            if roles[name] not in LEFT_OUT:
                rows.setdefault(name, []).append(row)
    ends: list[int] = []  # of the columns
    lines = []
    for name, used in sorted(rows.items(), key=lambda item: item[1][0]):
        begins = used[0] - _label_rows(name)
        column = next((c for c, end in enumerate(ends) if end < begins), len(ends))
        ends[column:] = [used[-1], *ends[column + 1 :]]
        lines.append(_Line(name, column, used[0], used[-1]))
    return lines


def _label_rows(name: str) -> int:
    """How many rows the name of a buffer takes, written upwards."""
    return int(LETTER * min(len(name), NAME) // ROW) + 2


def _uses(step: dict[str, Any]) -> dict[str, bool]:
    """Name of a buffer -> whether the step changes it."""
    read = dict.fromkeys(step["reads"].values(), False)
    return read | dict.fromkeys((n for use in ("writes", "updates", "sums") for n in step[use].values()), True)


@dataclass(frozen=True)
class _Phase:
    """One phase of a picture.

    Args:
        steps: as data.
        lines: of its buffers.
        roles: of all buffers.
        carried: forward weight -> (phase, number) of the steps through which it comes down.
        y: of its first row.
        pitch: from one column to the next.
    """

    steps: list[dict[str, Any]]
    lines: list[_Line]
    roles: dict[str, str]
    carried: dict[str, list[list[Any]]]
    y: int
    pitch: int

    def parts(self) -> list[str]:
        """Lines, then rows upon them, then names upon both."""
        parts = []
        for line in self.lines:
            x, colour = self._x(line), self._colour(line.name)
            parts.append(_line(x, self._row(line.first), x, self._row(line.last), colour, 'stroke-opacity="0.45"'))
        for row, step in enumerate(self.steps):
            parts += self._step(row, step)
        return [*parts, *(self._name(line) for line in self.lines)]

    def _x(self, line: _Line) -> int:
        return LEFT + self.pitch * line.column

    def _row(self, row: int) -> int:
        return self.y + ROW * row

    def _colour(self, name: str) -> str:
        return COLOURS.get(self.roles[name], OTHER)

    def _name(self, line: _Line) -> str:
        x, y = self._x(line), self._row(line.first) - 8
        shown = _short(line.name, NAME)
        length = LETTER * len(shown)
        ground = f'<rect x="{x - 5}" y="{y - length:.0f}" width="11" height="{length:.0f}" fill="white" fill-opacity="0.85"/>'
        turned = f'font-size="11" transform="rotate(-90 {x + 4} {y})"'
        return ground + _text(x + 4, y, shown, self._colour(line.name), turned)

    def _step(self, row: int, step: dict[str, Any]) -> list[str]:
        through = [name for name, places in self.carried.items() if [step["phase"], step["number"]] in places]
        y, ink = self._row(row), TRANSPORT if through else INK
        parts = [
            _text(30, y + 4, str(step["number"]), OTHER, 'text-anchor="end"'),
            _text(38, y + 4, _short(step["equation"], EQUATION), ink),
        ]
        uses = _uses(step)
        here = [line for line in self.lines if line.name in uses]
        if here:
            ends = [self._x(line) for line in here]
            style = 'stroke-width="2.5"' if through else 'stroke-opacity="0.35"'
            parts.append(_line(min(ends), y, max(ends), y, ink, style))
        for line in here:
            colour = TRANSPORT if line.name in through else self._colour(line.name)
            parts.append(self._circle(line, y, colour, step, uses[line.name]))
        return parts

    def _circle(self, line: _Line, y: int, colour: str, step: dict[str, Any], changed: bool) -> str:
        use = "changed" if changed else "read"
        title = escape(f"{line.name} ({self.roles[line.name]}) {use} by step {step['number']}: {step['label']}")
        fill = colour if changed else "white"
        place = f'cx="{self._x(line)}" cy="{y}" r="{min(5, self.pitch // 2)}"'
        return f'<circle {place} fill="{fill}" stroke="{colour}" stroke-width="1.6"><title>{title}</title></circle>'


def _legend(roles: Iterable[str], carries: bool, width: int) -> tuple[list[str], int]:
    """What the colours mean, in as many rows as it takes; and where the picture goes on."""
    shown = set(roles)
    entries = [(role, colour) for role, colour in COLOURS.items() if role in shown]
    entries += [("other", OTHER)] * bool(shown - COLOURS.keys()) + [(CARRIES, TRANSPORT)] * carries
    parts: list[str] = []
    x, y = 12.0, 14
    for word, colour in entries:
        wide = 30 + LETTER * len(word) * 1.1
        if x + wide > width - 10:
            x, y = 12.0, y + 20
        parts.append(f'<circle cx="{x + 5:.0f}" cy="{y}" r="5" fill="{colour}"/>' + _text(x + 15, y + 4, word, INK))
        x += wide
    return [*parts, _text(12, y + 24, NOTE, OTHER)], y + 40


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y}" fill="{colour}" {more}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" {more}/>'
