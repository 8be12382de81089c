"""``neurosim train``: say what will be done, do it with a progress bar, say in four lines what came of it."""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli.messages import option_of

from neurosim.errors import RunError
from neurosim.training.callbacks import Bar, span
from neurosim.training.config import Config
from neurosim.training.folder import Run
from neurosim.training.model import choose_device
from neurosim.training.recipe import recipes
from neurosim.training.trainer import Interrupted

if TYPE_CHECKING:
    from neurosim.experiment import Experiment
    from neurosim.readout.floor import Readout


class Lags(click.ParamType):
    """A whole number, or ``all``."""

    name = "K|all"

    def convert(self, value, param, ctx):
        if value == "all" or isinstance(value, int):
            return value
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r}; expected a whole number of lags or 'all'", param, ctx)


class Rates(click.ParamType):
    """Numbers with commas between."""

    name = "R1,R2,..."

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r}; expected numbers with commas between, one a layer", param, ctx)


def options(function):
    """The options that make a `Config`; None where not given, so that a data set's own defaults apply."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


OPTIONS = [
    click.option("--rule", help="Who gets the error: none, bp, rf, urf, sign, ll or dtp; or yours, module:Class.  [default: ll]"),
    click.option("--order", help="ll: greedy, random or simultaneous.  [default: simultaneous]"),
    click.option("--feedback", help="ll: bp, rf, urf or sign.  [default: urf]"),
    click.option("--top", help="dtp: target (plausible) or transport (published).  [default: target]"),
    click.option("--target-step", type=float,
                 help="dtp: how far the top's target lies from its activity, in errors.  [default: 20; published: 0.5; "
                      "for errors that sum over moments, as hinge, about 0.2]"),
    click.option("--noise", type=float,
                 help="dtp: standard deviation of the noise on what an inverse restores.  [default: 2; published: 1]"),
    click.option("--inverse-rate", type=float, help="dtp: rate of the inverses, in units of --rate.  [default: 5]"),
    click.option("--inverse-steps", type=int, help="dtp: changes of every inverse a batch.  [default: 1]"),
    click.option("--inverse-first", type=int, help="dtp: batches of the first epoch in which inverses alone learn.  [default: 0]"),
    click.option("--loss", help="hinge, hinge-mean, simclr (NT-Xent), barlow, positive; of patches clapp, gaze.  [default: hinge]"),
    click.option("--lags", type=Lags(),
                 help="hinge: moments of memory, the present one included; or all.  [default: 5; of photographs 20]"),
    click.option("--negative-weight", type=float, help="hinge: weight of each remembered negative; published: 1/K.  [default: 1]"),
    click.option("--block/--no-block", default=None, help="Only what is active now (view 2) learns.  [default: block]"),
    click.option("--threshold", type=float, help="hinge: middle of the two margins.  [default: 2]"),
    click.option("--delta", type=float, help="hinge: half the distance of the margins.  [default: 1]"),
    click.option("--match/--no-match", default=None,
                 help="Scale heads at the start so that images lie THRESHOLD apart.  [default: match]"),
    click.option("--temperature", type=float, help="simclr.  [default: 0.1]"),
    click.option("--network", help='small, conv5, conv4-tanh, vgg6 (stl10), or a text: "32 hardtanh, 32 pool, 512 pool".'),
    click.option("--data", help="toys, cifar10, cifar100, stl10, folder:PATH or FILE.npz.  [default: toys]"),
    click.option("--data-dir", help="Where the files of cifar10, cifar100 and stl10 are."),
    click.option("--views", help="deform, motion (toys only: two moments of a moving solid) or gaze (patches).  [default: deform]"),
    click.option("--deformation", help="affine (with colour), or simclr: crop, jitter, grey.  [default: affine]"),
    click.option("--crop", type=int, help="Look at a part of so many rows and columns.  [default: 64 of stl10; else all]"),
    click.option("--patch", type=int, help="clapp, gaze: rows of a patch; patches overlap by half.  [default: 16 of stl10]"),
    click.option("--grey/--no-grey", default=None, help="Look at brightness alone.  [default: grey for clapp and gaze]"),
    click.option("--negatives", type=int, help="clapp, gaze: random patches against each right one.  [default: 1]"),
    click.option("--images", type=int, help="Train on the first so many images.  [default: all]"),
    click.option("--epochs", type=int, help="Passes through the images (ll greedy and random: a layer)."),
    click.option("--batch", type=int, help="Moments of the stream computed at once."),
    click.option("--plasticity", help="signum, sgd, momentum or adam (divides; not plausible).  [default: signum]"),
    click.option("--rate", type=float, help="Learning rate; signum counts it in initial bounds of the weights."),
    click.option("--head-rate", type=float, help="Rate of heads and of their feedback, in units of --rate."),
    click.option("--layer-rates", type=Rates(),
                 help="Rate of each layer, bottom first, in units of --rate: 1,1,0.5; 0: it stays as drawn."),
    click.option("--feedback-gain", type=float, help="Multiplies the initial weights of feedback."),
    click.option("--momentum", type=float, help="Of the trace of changes.  [default: 0.9]"),
    click.option("--decay", type=float, help="Pulls weights to zero, times the rate.  [default: 0]"),
    click.option("--schedule", help="Of the rate: constant, linear or cosine.  [default: cosine]"),
    click.option("--seed", type=int, help="Of weights, order, deformations.  [default: 0]"),
    click.option("--threads", type=int, help="Any number gives the same bits.  [default: every core]"),
    click.option("--device", help="cpu, gpu, or auto: a GPU where there is one.  [default: cpu]"),
    click.option("--precision", help="float32, float64; of a GPU's products also tf32.  [default: float32]"),
    click.option("--readout", help="lbfgs, adam (the paper's protocol), hinge (plausible) or knn.  [default: lbfgs]"),
    click.option("--readout-images", type=int, help="Labelled training images of the read-out.  [default: 10000]"),
    click.option("--diagnose-every", type=int, metavar="N",
                 help="Every N batches: angles to forward weights and to bp, active hinges, sparsity, dead and saturated "
                      "units, a small read-out; in metrics.csv.  [default: never]"),
]


@click.command()
@options
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/RULE-DATA-TIME]")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with a run's folder; --epochs may be raised.")
@click.option("--checkpoint-every", type=float, default=60.0, show_default=True, help="Seconds between checkpoints.")
@click.option("--require-plausible", is_flag=True, help="Refuse to train what the audit at the start does not find plausible.")
def train(out, resume, checkpoint_every, require_plausible, **given):
    """Train a network without labels, then read its features out.

    Without options: the built-in images, layer-wise learning, a network of four layers. Every default that depends on
    the data is printed before training starts.
    """
    from neurosim.experiment import Experiment  # other commands share this file's options and need no more

    if checkpoint_every < 0:
        raise RunError(f"checkpoint_every={checkpoint_every:g}", "seconds, 0 or more", "write checkpoint_every=60")
    began = time.perf_counter()
    if resume is not None:
        experiment = Experiment.load(resume, **_resumed(out, given))
    else:
        take_device(given)
        config = Config.resolve(**given)
        out = out or Path("runs") / _name(config)
        if out.exists():
            Run.refuse(out)
        if config.data.name == "toys":
            click.echo("making or finding the built-in images ...", err=True)
        experiment = Experiment(config)
    _announce(experiment)
    try:
        experiment.fit(out, [Bar()], checkpoint_every=checkpoint_every, plausible=require_plausible)
    except Interrupted:
        click.echo(f"\nstopped; saved. Go on with: neurosim train --resume {experiment.run.folder}", err=True)
        sys.exit(130)
    _finish(experiment, began)


def take_device(given: dict) -> None:
    """Put what ``--device auto`` takes in its place, and say which."""
    if given.get("device") == "auto":
        given["device"], why = choose_device()
        click.echo(f"device    auto took {given['device']}: {why}")


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
        raise RunError(f"{option_of(others[0])} beside --resume", "only --epochs and --threads", "leave it out, or train anew")
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
    click.echo(f"error     {_error(config)}, {'gradient block' if config.rule.block else 'no gradient block'}")
    how = config.plasticity
    layers = f" (layer by layer x {', '.join(f'{r:g}' for r in how.layer_rates)})" if how.layer_rates else ""
    click.echo(f"change    {how.name}, rate {how.rate:g}{layers}, {how.schedule}, seed {config.training.seed}")
    count = len(data.train_images)
    click.echo(f"data      {data.name}: {count} images {'x'.join(map(str, data.image_shape))}, views by {config.views.kind}")
    work = f"{trainer.epochs} epochs of {trainer.stream.batches} batches of {config.training.batch}"
    size = f"{(model.memory() + trainer.stream.nbytes) / 2**20:.0f} MB"
    if model.device is not None:
        click.echo(f"cost      {work} and {size} on {model.device.name} in {config.training.precision}, then the read-out")
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
    return f"hinge, {memory}, margins {given['threshold'] - given['delta']:g} and {given['threshold'] + given['delta']:g}"


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
    click.echo(f"run       {experiment.run.folder}")


def print_readout(readout: Readout | None) -> None:
    """The two lines of accuracies, per layer, trained and untrained."""
    if readout is None:
        click.echo("accuracy  none: the images have no labels to read out")
        click.echo("floor     none: the images have no labels to read out")
        return
    how = f"{readout.how} read-out, % of test images"
    for name, shares, what in (("accuracy", readout.accuracy, how), ("floor", readout.floor, "the same, untrained")):
        layers = "  ".join(f"layer {number} {100 * share:.1f}" for number, share in enumerate(shares, 1))
        click.echo(f"{name:9} top {100 * shares[-1]:.1f}  ({what}: {layers})")
