"""``neurosim compare``: runs side by side, as a table and a page."""

from __future__ import annotations

import json
from pathlib import Path

import click
from neurosim.cli.help import Command

from neurosim.errors import RunError
from neurosim.report import compare as report
from neurosim.report.compared import page
from neurosim.report.seeds import Arm
from neurosim.training.folder import write_text


@click.command(cls=Command, epilog="Example: neurosim compare runs/a runs/b runs/c")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page, one file of HTML.  [default: compare.html beside the first folder]",
)
@click.option("--json", "as_json", is_flag=True, help="Print all numbers as JSON instead of a table.")
def compare(folders: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Compare the runs in FOLDERS, each of one seed or of several (train --seeds), with the first.

    Differences are paired by seed, with a t interval and Holm's correction over layers; fewer than three seeds claim
    nothing. Apart from that stands what the number of test images leaves open, which seeds do not make smaller.
    """
    if len(set(map(Path.resolve, folders))) < len(folders):
        raise RunError("a folder that is given twice", "different folders", "leave one out")
    arms = [Arm.read(folder) for folder in folders]
    out = out or folders[0].resolve().parent / "compare.html"
    if not out.parent.is_dir():
        raise RunError(f"no folder {out.parent}", "a folder to write to", "make it first")
    write_text(out, page(arms))
    if as_json:
        click.echo(json.dumps({**report.record(arms), "page": str(out)}))
        return
    for line in report.lines(arms):
        click.echo(line)
    click.echo(f"page      {out}")
