"""``neurosim audit``: evidence that a rule transports no weights, or the path by which it does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from neurosim.cli.train import options

from neurosim.errors import RunError
from neurosim.training.config import Config
from neurosim.training.folder import Run, write_json, write_text


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@options
@click.option("--torch", "build", metavar="MODULE:BUILD", help="Audit a PyTorch module instead; docs/write-your-own-rule.md.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as data.")
@click.option("--html", "html_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as one page.")
@click.option("--svg", "svg_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan's graph as a picture.")
@click.option("--graph", is_flag=True, help="Print every update walked back to its sources, too.")
def audit(folder, build, json_file, html_file, svg_file, graph, **given):
    """Audit a rule, or the trained run in FOLDER: conditions (i) to (iv), each asked of declarations and of behaviour.

    Takes the options of train; a rule outside this package is named module:Class. Exit code 0: plausible; 1: violated;
    2: it could not be decided, or wrong usage.
    """
    from neurosim.audit.examine import audit as examine
    from neurosim.audit.graph.draw import carriers, svg
    from neurosim.audit.page import html
    from neurosim.audit.target import of_config, of_run
    from neurosim.audit.verdict import graph_text

    for path in filter(None, (json_file, html_file, svg_file)):
        if not path.parent.is_dir():
            raise RunError(f"no folder {path.parent}", "a folder to write to", "make it first")
    if build is not None:
        beside = {"folder": folder, "html": html_file, "svg": svg_file, "graph": graph or None, **given}
        sys.exit(_foreign(build, json_file, [name for name, value in beside.items() if value is not None]))
    subject = of_config(Config.resolve(**given)) if folder is None else of_run(_opened(folder, given))
    report = examine(subject)
    click.echo(report.text())
    if graph:
        click.echo("\n" + graph_text(report.graph))
    for path, text in (
        (json_file, lambda: json.dumps(report.json(), indent=1) + "\n"),
        (html_file, lambda: html(report)),
        (svg_file, lambda: svg(report.graph, carriers(report.graph))),
    ):
        if path is not None:
            write_text(path, text())
    sys.exit(report.exit_code)


def _opened(folder: Path, given: dict) -> Run:
    """The run of a folder; options beside it would be ignored, and are refused."""
    strange = [name for name, value in given.items() if value is not None]
    if strange:
        raise RunError(f"--{strange[0].replace('_', '-')} beside the run {folder}", "the run's own options",
                       "leave it out, or leave the folder out")  # fmt: skip
    return Run.open(folder)


def _foreign(build: str, json_file: Path | None, beside: list[str]) -> int:
    """Audit somebody's PyTorch module; gives the exit code."""
    from neurosim.audit.torch.foreign import audit_build

    if beside:
        raise RunError(f"--{beside[0].replace('_', '-')} beside --torch", "only --json: a module has no plan to be drawn",
                       "leave it out")  # fmt: skip
    found = audit_build(build)
    click.echo(found.text())
    if json_file is not None:
        write_json(json_file, found.json())
    return found.exit_code
