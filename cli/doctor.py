"""``neurosim doctor``: this machine, a line a check."""

from __future__ import annotations

import json
import sys

import click
from neurosim.cli.help import Command

from neurosim.training.doctor import examine


@click.command(cls=Command, epilog="Example: neurosim doctor --json")
@click.option("--json", "as_json", is_flag=True, help="Print a list of records: name, state, text.")
def doctor(as_json: bool) -> None:
    """Say what this machine is: versions, cores and what limits them, BLAS, memory, GPU, folders that can be written.

    A line is "ok", a "note" (training works, something beside it does not) or "wrong" (training cannot work); with one that is
    wrong the exit code is 1.
    """
    found = examine()
    if as_json:
        click.echo(json.dumps([line.json() for line in found], indent=1))
    else:
        for line in found:
            click.echo(str(line))
    sys.exit(int(any(line.state == "wrong" for line in found)))
