"""``neurosim audit``: evidence that a rule transports no weights, or the path by which it does."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli.options import Configured, configure

from neurosim.audit.evidence import REQUIRED
from neurosim.audit.report import grade_table
from neurosim.errors import RunError
from neurosim.training.folder import Run, write_json, write_text

if TYPE_CHECKING:
    from neurosim.audit.verdict import Verdict

GRADES = "\n".join(
    f"  {words:34}{word}\n" + textwrap.fill(means, 76, initial_indent="      ", subsequent_indent="      ")
    for words, word, means in grade_table()
)
FILE = click.Path(path_type=Path, dir_okay=False)
HELP = f"""Audit a rule, or the trained run in FOLDER: does it transport weights, look elsewhere, do more than simple
arithmetic, or see labels? Every condition is asked of declarations and of behaviour; the report says what was tried.

Takes the options of train; a rule of your own is named module:Class. docs/audit.md explains the method and its limits.

\b
Exit codes
  0  no violation found
  1  a condition is violated, or the grade is below --require
  2  wrong usage, or bad input
  3  undecided: the rule crashed, ended the process, ran out of time, or gave
     no evidence

\b
Grades of locality                  --require
{GRADES}
  Weights that are shared over places are said apart: "but for weight sharing".
"""


@click.command(cls=Configured, help=HELP)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--torch", metavar="MODULE:BUILD", help="Audit a PyTorch module instead; docs/write-your-own-rule.md.")
@click.option("--json", "json_file", type=FILE, help="Write the report as data.")
@click.option("--html", "html_file", type=FILE, help="Write the report as one page.")
@click.option("--svg", "svg_file", type=FILE, help="Write the plan's graph as a picture.")
@click.option("--graph", is_flag=True, help="Print every update walked back to its sources, too.")
@click.option(
    "--require", type=click.Choice(list(REQUIRED)), help="Exit 1 below this grade of locality  [default: batch]"
)
def audit(
    folder: Path | None,
    torch: str | None,
    json_file: Path | None,
    html_file: Path | None,
    svg_file: Path | None,
    graph: bool,
    require: str | None,
    **given: Any,
) -> None:
    """Audit a rule, a run, or a PyTorch module; its help is `HELP`."""
    from neurosim.audit import check
    from neurosim.audit.graph.export import graph_text
    from neurosim.audit.target import of_config, of_run

    for path in filter(None, (json_file, html_file, svg_file)):
        if not path.parent.is_dir():
            raise RunError(f"no folder {path.parent}", "a folder to write to", "make it first")
    if torch is not None:
        beside = {
            "folder": folder,
            "html": html_file,
            "svg": svg_file,
            "graph": graph or None,
            "require": require,
            **given,
        }
        sys.exit(_audit_torch(torch, json_file, [name for name, value in beside.items() if value is not None]))
    target = of_config(configure(given)) if folder is None else of_run(_opened(folder, given))
    verdict = check(target)
    verdict.required = REQUIRED[require or "batch"]
    click.echo(verdict)
    if graph:
        click.echo("\n" + graph_text(verdict.graph))
    _write(verdict, json_file, html_file, svg_file)
    sys.exit(verdict.exit_code)


def _write(verdict: Verdict, json_file: Path | None, html_file: Path | None, svg_file: Path | None) -> None:
    """The verdict in each form that was asked for."""
    from neurosim.audit.graph.draw import carriers, svg
    from neurosim.audit.page import html

    if json_file is not None:
        write_text(json_file, json.dumps(verdict.json(), indent=1) + "\n")
    if html_file is not None:
        write_text(html_file, html(verdict))
    if svg_file is not None:
        write_text(svg_file, svg(verdict.graph, carriers(verdict.graph)))


def _opened(folder: Path, given: dict[str, Any]) -> Run:
    """The run of a folder; options beside it would be ignored, and are refused."""
    others = [name for name, value in given.items() if value is not None]
    if others:
        raise RunError(
            f"--{others[0].replace('_', '-')} beside the run {folder}",
            "the run's own options",
            "leave it out, or leave the folder out",
        )
    return Run.open(folder)


def _audit_torch(build: str, json_file: Path | None, beside: list[str]) -> int:
    """Audit somebody's PyTorch module; gives the exit code."""
    from neurosim.audit.torch.audit import audit_build

    if beside:
        raise RunError(
            f"--{beside[0].replace('_', '-')} beside --torch",
            "only --json: a module has no plan to be drawn",
            "leave it out",
        )
    found = audit_build(build)
    click.echo(found.text())
    if json_file is not None:
        write_json(json_file, found.json())
    return found.exit_code
