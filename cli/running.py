"""Train and read out with progress on stderr; what stops either says how to go on."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli.announce import print_readout

from neurosim.training.callbacks import Bar, Reading
from neurosim.training.config import Config
from neurosim.training.trainer import Interrupted

if TYPE_CHECKING:
    from neurosim.experiment import Experiment


def fit(experiment: Experiment, out: Path | None, quiet: bool, again: str = "", **how: Any) -> None:
    """Train; where it was stopped say how to go on.

    Args:
        experiment: that is trained.
        out: its folder; None: that which it has.
        quiet: show no progress.
        again: how to go on; empty: by ``--resume``.
        **how: as for `Experiment.fit`.
    """
    try:
        experiment.fit(out, [Bar(quiet)], **how)
    except Interrupted:
        folder = experiment.run.folder if experiment.run else ""
        click.echo(f"\nstopped; saved. {again or f'Go on with: neurosim train --resume {folder}'}", err=True)
        sys.exit(130)


def finish(experiment: Experiment, quiet: bool, again: str = "", show: bool = True) -> float:
    """Read out, keep results.json and print the table; gives when that began. Ctrl-C keeps what was trained.

    Args:
        experiment: trained.
        quiet: show no progress.
        again: how to go on after Ctrl-C; empty: by ``neurosim evaluate``.
        show: print the table.
    """
    began, reading, readout, similar = time.perf_counter(), Reading(quiet), None, None
    try:
        if experiment.data.labelled is not None:
            readout = experiment.readout(reading, cached=True)
        else:
            similar = experiment.similar()
        experiment.write_results(readout, similar)
    except KeyboardInterrupt:
        reading.end()
        folder = experiment.run.folder if experiment.run else ""
        hint = again or f"Read it out with: neurosim evaluate {folder}"
        click.echo(f"\nstopped during the read-out; what was trained is kept in {folder}. {hint}", err=True)
        sys.exit(130)
    reading.end()
    if show:
        print_readout(readout)
    folder = experiment.run.folder if experiment.run else Path()
    for word, text in similar.lines() if show and similar is not None else ():
        click.echo(f"{word:9} {text}: {folder / word}.png")
    return began


def named(config: Config) -> str:
    """A run's name from its rule and its data."""
    data = config.data.name.removeprefix("folder:").rstrip("/").rsplit("/", 1)[-1].removesuffix(".npz")
    return f"{config.rule.name.replace(':', '-')}-{data}"
