"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

import json
from html import escape

from neurosim.audit.answers import CONDITIONS, WITNESSES
from neurosim.audit.graph.draw import carriers, svg
from neurosim.audit.verdict import Report, graph_text

STYLE = """
body { font: 15px/1.5 sans-serif; color: #2c3e50; max-width: 70em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 } td, th { border: 1px solid #d5d8dc; padding: .35em .7em; text-align: left;
vertical-align: top } .holds { background: #dff0d0 } .violated { background: #fadbd8 } .cannot { background: #f4f6f6 }
.path { font-family: monospace; color: #e6007e; white-space: pre-wrap } h1 span { padding: 0 .4em; border-radius: .2em }
li { margin: .2em 0 } .picture { overflow-x: auto; border: 1px solid #d5d8dc } pre { overflow-x: auto; font-size: 12px }
small { color: #7f8c8d }
"""


def html(report: Report) -> str:
    """The whole page: verdict, table, evidence, what remains assumed, the graph, the data."""
    parts = [
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">', f"<title>audit of {escape(report.title)}</title>",
        f"<style>{STYLE}</style></head><body>",
        f'<h1>{escape(report.title)}: <span class="{report.verdict.split()[0]}">{escape(report.verdict)}</span></h1>',
        f"<p>{escape(report.line())}</p>", _list(report.note), _table(report),
    ]  # fmt: skip
    if report.paths:
        parts += ["<h2>Weight transport</h2>", *(f'<div class="path">{escape(path)}</div>' for path in report.paths)]
    parts.append("<h2>Evidence</h2>")
    for condition, answers in report.table.items():
        parts.append(f"<h3>{_name(condition)}</h3>")
        lines = [f"<b>{by}, {escape(a.verdict)}:</b> {escape(line)}" for by, a in answers.items() for line in a.evidence]
        parts.append("<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>")
    for title, told in (("Seen by one witness alone", report.disagreements()), ("What remains assumed", report.assumed)):
        if told:
            parts += [f"<h2>{title}</h2>", _list(told)]
    data = escape(json.dumps(report.json(), indent=1))
    parts += ["<h2>The plan</h2>", f'<div class="picture">{svg(report.graph, carriers(report.graph))}</div>',
              "<h2>Every update walked back</h2>", f"<pre>{escape(graph_text(report.graph))}</pre>",
              "<h2>As data</h2>", f"<details><summary>audit.json</summary><pre>{data}</pre></details>",
              "</body></html>"]  # fmt: skip
    return "\n".join(parts) + "\n"


def _name(condition: str) -> str:
    told = escape(CONDITIONS[condition])
    return f"({condition}) {told}" if condition != "declared" else f"declared: {told}"


def _list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _table(report: Report) -> str:
    rows = ["<tr><th>condition</th>" + "".join(f"<th>{by}</th>" for by in WITNESSES) + "</tr>"]
    for condition, answers in report.table.items():
        cells = [answers[by].verdict if by in answers else "" for by in WITNESSES]
        told = "".join(f'<td class="{cell.split()[0] if cell else ""}">{escape(cell)}</td>' for cell in cells)
        rows.append(f"<tr><td>{_name(condition)}</td>{told}</tr>")
    return "<table>" + "".join(rows) + "</table>"
