"""``neurosim train``: say what will be done, do it with a progress bar, say in four lines what came of it."""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli.help import Rare
from neurosim.cli.messages import option_of
from neurosim.cli.options import Configured, configure

from neurosim.errors import RunError
from neurosim.training.callbacks import Bar, span
from neurosim.training.config import Config
from neurosim.training.divergence import CHOICES
from neurosim.training.folder import Run
from neurosim.training.recipe import recipes
from neurosim.training.trainer import Interrupted

if TYPE_CHECKING:
    from neurosim.experiment import Experiment
    from neurosim.readout.results import Estimate, Readout


@click.command(cls=Configured)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/RULE-DATA-TIME]")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with a run's folder; --epochs may be raised.")
@click.option("--go-on", is_flag=True, help="Go on with the run in --out if it is there, begin it if it is not.")
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
    type=click.Choice(CHOICES),
    default="stop",
    show_default=True,
    help="Numbers that are not finite or of no use: stop with exit code 3, or warn and go on.",
)
def train(
    out: Path | None,
    resume: Path | None,
    go_on: bool,
    checkpoint_every: float,
    require_plausible: bool,
    on_divergence: str,
    **given: Any,
) -> None:
    """Train a network without labels, then read its features out.

    Without options: the built-in images, layer-wise learning, a network of four layers. Every default that depends on
    the data is printed before training starts.
    """
    from neurosim.experiment import Experiment

    if checkpoint_every < 0:
        raise RunError(f"checkpoint_every={checkpoint_every:g}", "seconds, 0 or more", "write checkpoint_every=60")
    began = time.perf_counter()
    if resume is not None:
        experiment = Experiment.load(resume, **_resumed(out, given))
    else:
        config = configure(given)
        out = out or Path("runs") / _name(config)
        if out.exists():
            Run.refuse(out)
        if config.data.name == "toys":
            click.echo("making or finding the built-in images ...", err=True)
        experiment = Experiment(config)
    _announce(experiment)
    _fit(experiment, out, checkpoint_every=checkpoint_every, plausible=require_plausible, on_divergence=on_divergence)
    _finish(experiment, began)


def _fit(experiment: Experiment, out: Path | None, **how: Any) -> None:
    """Train; where it was stopped say how to go on."""
    try:
        experiment.fit(out, [Bar()], **how)
    except Interrupted:
        click.echo(
            f"\nstopped; saved. Go on with: neurosim train --resume {run.folder if (run := experiment.run) else ''}",
            err=True,
        )
        sys.exit(130)


def _name(config: Config) -> str:
    data = config.data.name.removeprefix("folder:").rstrip("/").rsplit("/", 1)[-1].removesuffix(".npz")
    return f"{config.rule.name.replace(':', '-')}-{data}-{datetime.datetime.now():%Y%m%d-%H%M%S}"


def _resumed(out: Path | None, given: dict[str, Any]) -> dict[str, Any]:
    """What may be given beside --resume.

    Raises:
        RunError: something else.
    """
    changed = {name: value for name, value in given.items() if value is not None}
    others = sorted(set(changed) - {"epochs", "threads"}) + (["out"] if out is not None else [])
    if others:
        raise RunError(
            f"{option_of(others[0])} beside --resume", "only --epochs and --threads", "leave it out, or train anew"
        )
    return changed


def _announce(experiment: Experiment) -> None:
    """What will be done, before it is done."""
    config, data, model, trainer = experiment.config, experiment.data, experiment.model, experiment.trainer
    network, rule, report = model.network, model.rule, experiment.preflight()
    sizes = " -> ".join("x".join(map(str, p.shape)) for p in network.populations)
    click.echo(f"recipe    {config.recipe}: {recipes()[config.recipe].summary}")
    click.echo(f"network   {config.network.name}: {network}")
    click.echo(f"          {sizes}")
    click.echo(f"rule      {config.rule.name}: {rule.summary}" + (f" ({rule.order})" if hasattr(rule, "order") else ""))
    for line in rule.wiring():
        click.echo(f"          {line}")
    compared = f"{_error(config)}, {'gradient block' if config.rule.block else 'no gradient block'}"
    click.echo(f"error     {compared if rule.errors or not rule.phases else 'none: nothing is compared'}")
    how = config.plasticity
    layers = f" (layer by layer x {', '.join(f'{r:g}' for r in how.layer_rates)})" if how.layer_rates else ""
    click.echo(f"change    {how.name}, rate {how.rate:g}{layers}, {how.schedule}, seed {config.training.seed}")
    count = len(data.train_images)
    click.echo(
        f"data      {data.name}: {count} images {'x'.join(map(str, data.image_shape))}, views by {config.views.kind}"
    )
    if config.training.minutes is not None:
        fits = f"{config.training.epochs} epochs of {trainer.stream.batches} batches"
        click.echo(f"budget    {config.training.minutes:g} minutes: {fits}, from the speed measured now")
    work = f"{trainer.epochs} epochs of {trainer.stream.batches} batches of {config.training.batch}"
    size = f"{(model.memory() + trainer.stream.nbytes) / 2**20:.0f} MB"
    if model.device is not None:
        click.echo(
            f"cost      {work} and {size} on {model.device.name} in {config.training.precision}, then the read-out"
        )
    else:
        seconds, threads = experiment.expected()
        click.echo(f"cost      {work}, about {span(seconds)} and {size} on {threads} threads, then the read-out")
    click.echo(f"audit     {report.line()}")


def _error(config: Config) -> str:
    """The error in words."""
    if config.loss.name != "hinge":
        return config.loss.name
    given = config.loss.options
    memory = f"memory of {given['lags']} lags" if given["lags"] else "all negatives"
    return (
        f"hinge, {memory}, margins {given['threshold'] - given['delta']:g} and {given['threshold'] + given['delta']:g}"
    )


def _finish(experiment: Experiment, began: float) -> None:
    """Read out, keep results.json, and print it in four lines."""
    live, reading = sys.stderr.isatty(), time.perf_counter()

    def show(line: str) -> None:
        if live:
            click.echo(f"\r{line}   ", err=True, nl=False)

    readout = None
    if experiment.data.labelled is not None:
        readout = experiment.readout(show)
        click.echo("\r" + " " * 40 + "\r" if live else "", err=True, nl=False)
    experiment.write_results(readout)
    print_readout(readout)
    now, seconds = time.perf_counter(), experiment.progress.seconds
    speed = experiment.results(readout)["images_per_second"]
    click.echo(
        f"time      {span(seconds)} of training ({speed:.0f} images/s), "
        f"{span(now - reading)} of read-out, {span(now - began)} in all"
    )
    click.echo(f"run       {run.folder if (run := experiment.run) else ''}")


def print_readout(readout: Readout | None) -> None:
    """The table, and three lines of what counts."""
    if readout is None:
        click.echo("accuracy  none: the images have no labels to read out")
        click.echo("floor     none: the images have no labels to read out")
        return
    click.echo(str(readout))
    row, layer, gain = readout.curve[-1].layers[readout.headline - 1], readout.headline, readout.gain
    what = f"{readout.how} read-out, {readout.labels:,} labels, % of test images"
    click.echo(f"accuracy  layer {layer} {_share(row.trained)}  ({what})")
    click.echo(f"floor     layer {layer} {_share(row.floor)}  (the same, untrained: {_share(row.difference, '+')})")
    if gain is None:
        click.echo("gain      none: no layer learned")
    else:
        both = f"layer {gain.layers[0]} {100 * gain.trained.value:.1f}, layer {gain.floor_layers[0]} {100 * gain.floor.value:.1f}"
        click.echo(f"gain      {_share(gain.difference, '+')}  (best learned layer over best untrained one: {both})")


def _share(found: Estimate, sign: str = "") -> str:
    """A share in %, and half its 95 % interval."""
    return f"{100 * found.value:{sign}.1f} ± {100 * found.interval:.1f}"
