"""``neurosim evaluate``: the read-out of a run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli.announce import print_readout
from neurosim.cli.help import Command
from neurosim.cli.options import take_device
from neurosim.cli.trusting import trusting

import neurosim as ns

if TYPE_CHECKING:
    from neurosim.experiment import Experiment


@click.command(cls=Command, epilog="Example: neurosim evaluate runs/a --labels 100,500,2000")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--data", metavar="NAME", help="Read out on other pictures, of the same size.  [default: the run's own]")
@click.option("--data-dir", metavar="FOLDER", help="Where cifar10, cifar100 and stl10 are.  [default: as the run had]")
@click.option("--weights", type=click.Path(path_type=Path), help="Weights of a .safetensors or .npz file instead.")
@click.option("--network", metavar="TEXT", help="Of weights whose file does not say it.")
@click.option("--readout", help="lbfgs, ridge, adam, hinge or knn.  [default: as the run had]")
@click.option("--readout-images", type=int, help="The largest number of labels.  [default: as the run had]")
@click.option("--labels", metavar="N1,N2,...", help="Numbers of labels of the curve.  [default: as the run had]")
@click.option("--threads", type=int, help="Any number gives the same bits.  [default: every core]")
@click.option("--device", help="cpu, gpu or auto.  [default: as the run had]")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print what results.json holds instead of words.")
@click.option("--cache/--no-cache", default=True, help="Take what was read out before from its file.  [default: cache]")
@trusting
def evaluate(
    folder: Path | None,
    weights: Path | None,
    network: str | None,
    quiet: bool,
    as_json: bool,
    cache: bool,
    trust: tuple[str, ...],
    **given: Any,
) -> None:
    """Read the features of the run in FOLDER out again: number of labels by layer, beside the floor.

    Uses the weights of the last checkpoint, trained to the end or not. Every read-out has a file of its own in the run's
    folder results/, by data and settings; results.json is the last one with the run's own weights and data, and report.html
    lists them all. What was read out before, with the same weights, data, settings and code, is taken from its file, and
    floors from the user's cache folder.

    With --weights FILE and no FOLDER the file says which network and data it is of, or --network and --data do, and the
    read-out is only printed.
    """
    take_device(given)
    data, data_dir = given.pop("data"), given.pop("data_dir")
    own = weights is None and data is None
    if folder is not None:
        experiment = _of_run(folder, weights, network, given | {"trust": (*trust, data or "")})
    else:
        experiment = _of_file(weights, given | {"network": network, "data": data, "data_dir": data_dir, "trust": trust})
        data = data_dir = None
    found = experiment.readout(data=data, data_dir=data_dir, cached=cache)
    if as_json:
        click.echo(json.dumps(experiment.results(found) | {"data": found.data, "taken": found.taken or None}))
    elif not quiet:
        print_readout(found)
        if found.taken:
            click.echo(f"cache     {found.taken}")
    if folder is not None:
        experiment.write_results(found, own=own, trained=weights is None)


def _of_run(folder: Path, weights: Path | None, network: str | None, given: dict[str, Any]) -> Experiment:
    """A run, perhaps with other weights in its network.

    Raises:
        RunError: no run, or weights of another network.
    """
    if network is not None:
        raise ns.errors.RunError(f"--network beside {folder}", "the run's own network", "leave --network out")
    experiment = ns.load(folder, **given)
    if weights is not None:
        ns.export.put(experiment, ns.export.read(weights)[0], str(weights))
    return experiment


def _of_file(weights: Path | None, given: dict[str, Any]) -> Experiment:
    """What a file of weights says that it is of.

    Raises:
        RunError: no file, or one that does not say it.
    """
    if weights is None:
        raise ns.errors.RunError("nothing to read out", "the folder of a run, or --weights", "give one of them")
    return ns.export.load(weights, **{name: value for name, value in given.items() if value is not None})
