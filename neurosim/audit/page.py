"""The verdict as one HTML page that needs nothing else."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

from neurosim.audit.evidence import ANALYSES, CONDITIONS
from neurosim.audit.graph.draw import svg
from neurosim.audit.graph.export import graph_json, graph_text
from neurosim.audit.report import sentence

if TYPE_CHECKING:
    from neurosim.audit.verdict import Verdict

STYLE = """
body { font: 15px/1.5 sans-serif; color: #2c3e50; max-width: 70em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 } td, th { border: 1px solid #d5d8dc; padding: .35em .7em; text-align: left;
vertical-align: top } .holds, .no { background: #dff0d0 } .violated, .below { background: #fadbd8 }
.cannot, .undecided { background: #f4f6f6 }
.path { font-family: monospace; color: #e6007e; white-space: pre-wrap } h1 span { padding: 0 .4em; border-radius: .2em }
li { margin: .2em 0 } .picture { overflow-x: auto; border: 1px solid #d5d8dc } pre { overflow-x: auto; font-size: 12px }
small { color: #7f8c8d }
"""


def html(verdict: Verdict) -> str:
    """The whole page: outcome, table, evidence, what remains assumed, the graph, the data."""
    parts = [*_head(verdict), _list(verdict.note), _table(verdict)]
    if verdict.paths:
        paths = [f'<div class="path">{escape(path)}</div>' for path in verdict.paths]
        parts += ["<h2>Weight transport</h2>", *paths]
    parts += _evidence(verdict)
    reasons = [] if verdict.violated else verdict.grades.get(verdict.grade, [])
    notes = (
        ("Why the grade is no higher", reasons),
        ("Found by one analysis alone", verdict.disagreements()),
        ("What remains assumed", verdict.assumed),
        ("What was not asked", verdict.not_asked),
    )
    for title, lines in notes:
        if lines:
            parts += [f"<h2>{title}</h2>", _list(lines)]
    return "\n".join([*parts, *_plan(verdict), "</body></html>"]) + "\n"


def _head(verdict: Verdict) -> list[str]:
    title, outcome = escape(verdict.title), verdict.outcome
    return [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f"<title>audit of {title}</title>",
        f"<style>{STYLE}</style></head><body>",
        f'<h1>{title}: <span class="{outcome.split()[0]}">{escape(outcome)}</span></h1>',
        f"<p>{escape(sentence(verdict))}</p>",
        f"<p>Grade: {escape(verdict.locality)}.</p>",
    ]


def _evidence(verdict: Verdict) -> list[str]:
    parts = ["<h2>Evidence</h2>"]
    for condition, answers in verdict.table.items():
        parts.append(f"<h3>{_name(condition)}</h3>")
        lines = [
            f"<li><b>{by}, {escape(a.verdict)}:</b> {escape(line)}</li>"
            for by, a in answers.items()
            for line in a.evidence
        ]
        parts.append("<ul>" + "".join(lines) + "</ul>")
    return parts


def _plan(verdict: Verdict) -> list[str]:
    data = escape(json.dumps(verdict.json(), indent=1))
    return [
        "<h2>The plan</h2>",
        f'<div class="picture">{svg(graph_json(verdict.graph))}</div>',
        "<h2>Every update walked back</h2>",
        f"<pre>{escape(graph_text(verdict.graph))}</pre>",
        "<h2>As data</h2>",
        f"<details><summary>audit.json</summary><pre>{data}</pre></details>",
    ]


def _name(condition: str) -> str:
    text = escape(CONDITIONS[condition])
    return f"({condition}) {text}" if condition != "declared" else f"declared: {text}"


def _list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _table(verdict: Verdict) -> str:
    columns = [by for by in ANALYSES if any(by in answers for answers in verdict.table.values())]
    rows = ["<tr><th>condition</th>" + "".join(f"<th>{by}</th>" for by in columns) + "</tr>"]
    for condition, answers in verdict.table.items():
        cells = [answers[by].verdict if by in answers else "" for by in columns]
        row = "".join(f'<td class="{cell.split()[0] if cell else ""}">{escape(cell)}</td>' for cell in cells)
        rows.append(f"<tr><td>{_name(condition)}</td>{row}</tr>")
    return "<table>" + "".join(rows) + "</table>"
