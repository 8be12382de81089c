"""``neurosim train``: say what will be done, do it with a progress bar, say in four lines what came of it."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from neurosim.cli import seeds as several
from neurosim.cli.announce import announce
from neurosim.cli.help import Rare
from neurosim.cli.messages import option_of
from neurosim.cli.options import Configured, configure
from neurosim.cli.running import finish, fit, named

from neurosim.core.reading import File
from neurosim.errors import RunError
from neurosim.training.callbacks import span
from neurosim.training.divergence import CHOICES
from neurosim.training.folder import Run, make_folder
from neurosim.training.given import KINDS, RESUMED, anchored
from neurosim.training.lock import refuse_held


@click.command(cls=Configured, epilog="Example: neurosim train --rule ll --data cifar10 --epochs 3 --out runs/a")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/RULE-DATA-TIME]")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with a run's folder; --epochs may be raised.")
@click.option("--go-on", cls=Rare, is_flag=True, help="Go on with --out if it is there, else begin it.")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="So many runs from --seed on: mean and spread.")
@click.option(
    "--trust",
    cls=Rare,
    multiple=True,
    metavar="NAME",
    help="Code that --resume's run names, module:Class, and that may run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print results.json instead of words.")
@click.option("--quiet", cls=Rare, is_flag=True, help="Print nothing but errors.")
@click.option(
    "--checkpoint-every", cls=Rare, type=float, default=60.0, show_default=True, help="Seconds between checkpoints."
)
@click.option(
    "--require-plausible",
    cls=Rare,
    is_flag=True,
    help="Refuse to train what the audit at the start does not find plausible.",
)
@click.option(
    "--on-divergence",
    cls=Rare,
    type=click.Choice(CHOICES),
    default="stop",
    show_default=True,
    help="Numbers that are not finite or of no use: stop with exit code 3, or warn and go on.",
)
def train(
    out: Path | None,
    resume: Path | None,
    go_on: bool,
    seeds: int | None,
    trust: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    checkpoint_every: float,
    require_plausible: bool,
    on_divergence: str,
    **given: Any,
) -> None:
    """Train a network without labels, then read its features out.

    Without options: the built-in images, layer-wise learning, a network of four layers. Every default that depends on
    the data is printed before training starts.
    """
    if checkpoint_every < 0:
        raise RunError(f"checkpoint_every={checkpoint_every:g}", "seconds, 0 or more", "write checkpoint_every=60")
    how = {"checkpoint_every": checkpoint_every, "plausible": require_plausible, "on_divergence": on_divergence}
    silent = quiet or as_json
    with _silence(silent and not given.get("print_config")):
        if seeds is not None:
            folder = several.train(configure(given), seeds, out, resume, quiet, how)
        else:
            if go_on:
                out, resume, given = _going_on(out, resume, given)
            if resume is not None:
                given["trust"] = (*trust, *given.pop("trust", ()))
            folder = _one(out, resume, given, quiet, how)
    if as_json:
        click.echo(json.dumps(File(folder / "results.json").json()))


@contextlib.contextmanager
def _silence(wanted: bool) -> Iterator[None]:
    """Print nothing on stdout for a while."""
    if not wanted:
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def _one(out: Path | None, resume: Path | None, given: dict[str, Any], quiet: bool, how: dict[str, Any]) -> Path:
    """Train one run, or go on with it; gives its folder."""
    from neurosim.experiment import Experiment

    began = time.perf_counter()
    if resume is not None:
        experiment = Experiment.load(resume, **_resumed(out, given))
    else:
        config = configure(given)
        if out is not None and out.exists():
            Run.refuse(out)
        if config.data.name == "toys" and not quiet:
            click.echo("making or finding the built-in images ...", err=True)
        experiment = Experiment(config)
        out = out or _new_folder(Path("runs"), f"{named(config)}-{datetime.datetime.now():%Y%m%d-%H%M%S}")
    announce(experiment)
    fit(experiment, out, quiet, **how)
    reading = finish(experiment, quiet)
    now, seconds = time.perf_counter(), experiment.progress.seconds
    speed = experiment.progress.done * experiment.config.training.batch / max(seconds, 1e-9)
    click.echo(
        f"time      {span(seconds)} of training ({speed:.0f} images/s), "
        f"{span(now - reading)} of read-out, {span(now - began)} in all"
    )
    assert experiment.run is not None
    click.echo(f"run       {experiment.run.folder}")
    return experiment.run.folder


def _new_folder(above: Path, name: str) -> Path:
    """Make an empty folder that nobody else has: of that name, or with a number behind it.

    Raises:
        RunError: it cannot be made.
    """
    make_folder(above)
    for number in itertools.count(1):
        folder = above / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as problem:
            raise RunError(
                f"{folder} cannot be made: {problem.strerror}", "a place that can be written to", "choose another --out"
            ) from None
        return folder
    raise AssertionError("numbers do not end")


def _going_on(
    out: Path | None, resume: Path | None, given: dict[str, Any]
) -> tuple[Path | None, Path | None, dict[str, Any]]:
    """What --go-on means for the folder that --out names: begin there, or resume what the same words began there.

    Raises:
        RunError: no folder is named; the run there is of other words.
    """
    if out is None or resume is not None:
        raise RunError(
            "--go-on " + ("beside --resume" if resume else "without --out"), "--out FOLDER", "name the folder"
        )
    if not (out / "config.json").is_file():
        return out, None, given
    run = Run.open(out)
    refuse_held(out)
    if not run.has_checkpoint:  # it ended before its first batch: nothing is lost
        run.clear()
        return out, None, given
    config = configure(given)
    asked = config.flat() | anchored(config, os.getcwd())
    there = run.config.flat() | anchored(run.config, run.begun_in())
    fixed = {"epochs", "batches"} if asked["minutes"] is not None else {"epochs"}  # a budget fixed them there
    other = next(
        (name for name, value in asked.items() if there.get(name) != value and name not in fixed | {"threads"}), None
    )
    if other is not None:
        raise RunError(
            f"{option_of(other)} {asked[other]} for the run in {out}, begun with {there.get(other)}",
            "the same words again",
            "leave --go-on out and choose another --out, or write what it was begun with",
        )
    longer = asked["minutes"] is None and asked["epochs"] > there["epochs"]
    named = [str(asked[kind]) for kind in KINDS]  # typed again
    return None, out, {"epochs": asked["epochs"] if longer else None, "threads": given.get("threads"), "trust": named}


def _resumed(out: Path | None, given: dict[str, Any]) -> dict[str, Any]:
    """What may be given beside --resume.

    Raises:
        RunError: something else.
    """
    changed = {name: value for name, value in given.items() if value is not None}
    others = sorted(set(changed) - {*RESUMED, "rule", "trust"}) + (["out"] if out is not None else [])
    if others:
        known = ", ".join(map(option_of, RESUMED))
        raise RunError(f"{option_of(others[0])} beside --resume", f"only {known}", "leave it out, or train anew")
    return changed
