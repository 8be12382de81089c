"""``--trust NAME``: somebody else's code that may run although only a file names it."""

from __future__ import annotations

import click

trusting = click.option(
    "--trust", multiple=True, metavar="NAME", help="Code that the file names, module:Class, and that may run."
)
