"""``neurosim evaluate``: the read-out of a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from neurosim.cli.announce import print_readout
from neurosim.cli.help import Command
from neurosim.cli.options import take_device


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--readout", help="lbfgs, adam, hinge or knn.  [default: as the run had]")
@click.option("--readout-images", type=int, help="The largest number of labels.  [default: as the run had]")
@click.option("--labels", metavar="N1,N2,...", help="Numbers of labels of the curve.  [default: as the run had]")
@click.option("--threads", type=int, help="Any number gives the same bits.  [default: every core]")
@click.option("--device", help="cpu, gpu or auto.  [default: as the run had]")
def evaluate(
    folder: Path,
    readout: str | None,
    readout_images: int | None,
    labels: str | None,
    threads: int | None,
    device: str | None,
) -> None:
    """Read the features of the run in FOLDER out again: number of labels by layer, beside the floor.

    Uses the weights of the last checkpoint, trained to the end or not, and rewrites results.json
    and report.html.
    """
    from neurosim.experiment import Experiment

    asked: dict[str, Any] = {
        "readout": readout,
        "readout_images": readout_images,
        "labels": labels,
        "threads": threads,
        "device": device,
    }
    take_device(asked)
    experiment = Experiment.load(folder, **asked)
    found = experiment.readout()
    print_readout(found)
    experiment.write_results(found)
