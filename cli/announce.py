"""What train says before and after: what will be done, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from neurosim.training.callbacks import span
from neurosim.training.config import Config
from neurosim.training.recipe import recipes

if TYPE_CHECKING:
    from neurosim.experiment import Experiment
    from neurosim.readout.results import Estimate, Readout


def announce(experiment: Experiment) -> None:
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
    for note in data.notes:
        click.echo(f"          {note}")
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
