"""``neurosim train --seeds N``: a run a seed, on the same pictures; at the end mean and spread, and the floor with its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli.announce import announce
from neurosim.cli.messages import option_of
from neurosim.cli.running import finish, fit, named

from neurosim.errors import RunError
from neurosim.report import seeds as report
from neurosim.training.callbacks import span
from neurosim.training.config import Config
from neurosim.training.folder import Run, make_folder, write_json

if TYPE_CHECKING:
    from neurosim.experiment import Experiment

FREE = ("seed", "threads", "data_dir")  # what may differ from a run that is there
BUDGET = ("epochs", "batches")  # what minutes decided then
BEGUN = {"config.json", "audit.json", "metrics.csv", "record", "recorded"}  # of a run without a checkpoint


def train(config: Config, count: int, out: Path | None, resume: Path | None, quiet: bool, how: dict[str, Any]) -> Path:
    """Train what is not finished; the same command goes on where it was stopped.

    Args:
        config: of the first seed; the others follow it.
        count: seeds.
        out: the folder; one a seed is below it. None: named after rule, data and count.
        resume: of the command; it does not go with seeds.
        quiet: show no progress.
        how: as for `Experiment.fit`.

    Raises:
        RunError: a folder with other runs.
    """
    from neurosim.experiment import Experiment

    if resume is not None:
        raise RunError("--resume beside --seeds", "one of the two", "give the command of the seeds again: it goes on")
    out, began = out or Path("runs") / f"{named(config)}-{count}-seeds", time.perf_counter()
    folders = {config.training.seed + n: out / f"seed-{config.training.seed + n}" for n in range(count)}
    config = _as_before(config, folders)
    make_folder(out)
    experiment = Experiment(config)
    announce(experiment)
    click.echo(f"seeds     {', '.join(map(str, folders))}, on the same images, in {out}")
    for seed, folder in folders.items():
        if not (folder / "results.json").is_file():
            _one(experiment, seed, folder, quiet, f"The same command goes on ({out}).", how)
        _keep(out, folders)
    arm = report.Arm.read(out)
    for line in report.table(arm):
        click.echo(line)
    click.echo(
        f"time      {span(arm.seconds)} of training in {len(folders)} runs, {span(time.perf_counter() - began)} now"
    )
    click.echo(f"runs      {out}")
    return out


def _one(experiment: Experiment, seed: int, folder: Path, quiet: bool, again: str, how: dict[str, Any]) -> None:
    """Train and read out one seed, or what is left of that."""
    if not quiet:
        click.echo(f"seed {seed}", err=True)
    saved = (folder / "checkpoint.npz").is_file()
    run = experiment.with_seed(seed, folder if saved else None)
    fit(run, None if saved else folder, quiet, again, **how)
    finish(run, quiet, again, show=False)


def _keep(out: Path, folders: dict[int, Path]) -> None:
    """results.json of all seeds that are finished."""
    finished = [folder for folder in folders.values() if (folder / "results.json").is_file()]
    write_json(out / "results.json", report.summary(report.Arm.of(out.name, finished)))


def _as_before(config: Config, folders: dict[int, Path]) -> Config:
    """What is asked for, where minutes were given with the epochs that they bought before; begun runs are cleared.

    Raises:
        RunError: a run that is there was asked for otherwise, or a folder of something else.
    """
    for folder in folders.values():
        if not folder.is_dir() or not any(folder.iterdir()):
            continue
        there = Run.open(folder).config
        if config.training.minutes is not None:
            config = config.replace(**{name: there.flat()[name] for name in BUDGET})
        mine, other = config.flat(), there.flat()
        different = sorted(name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name))
        different = [name for name in different if name not in FREE]
        if different:
            actual = ", ".join(f"{option_of(name)} {other.get(name)}" for name in different[:3])
            wanted = ", ".join(f"{option_of(name)} {mine.get(name)}" for name in different[:3])
            raise RunError(f"{folder} was made with {actual}", f"{wanted}, as asked for now", "choose another --out")
        if not (folder / "checkpoint.npz").is_file():
            _clear(folder)
    return config


def _clear(folder: Path) -> None:
    """Remove what a run left that was killed before its first checkpoint.

    Raises:
        RunError: something else is there, too.
    """
    others = [each.name for each in folder.iterdir() if each.name not in BEGUN and not each.name.startswith(".")]
    if others:
        raise RunError(f"{folder} has no checkpoint.npz, but {others[0]}", "a run's folder", "choose another --out")
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    folder.rmdir()
