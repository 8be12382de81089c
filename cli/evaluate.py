"""``neurosim evaluate``: the read-out of a run again."""

import dataclasses
from pathlib import Path

import click
from neurosim.cli.train import say, take_device

from neurosim.engine.threads import ThreadTeam
from neurosim.readout.features import forward_weights
from neurosim.readout.floor import compare
from neurosim.report import page
from neurosim.training.folder import Run
from neurosim.training.session import Session


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--readout", help="lbfgs, adam, hinge or knn.  [default: as the run had]")
@click.option("--readout-images", type=int, help="Labelled training images of the read-out.  [default: as the run had]")
@click.option("--threads", type=int, help="Any number gives the same bits.  [default: every core]")
@click.option("--device", help="cpu, gpu or auto.  [default: as the run had]")
def evaluate(folder, readout, readout_images, threads, device):
    """Read the features of the run in FOLDER out again, per layer, beside the floor.

    Uses the weights of the last checkpoint, trained to the end or not, and rewrites results.json
    and report.html.
    """
    run = Run.open(folder)
    asked = {"readout": readout, "readout_images": readout_images, "threads": threads, "device": device}
    take_device(asked)
    if asked["device"] == "cpu" and run.config.precision == "tf32":
        asked["precision"] = "float32"  # what a CPU has
    config = dataclasses.replace(run.config, **{name: value for name, value in asked.items() if value is not None})
    session = Session(config)
    arrays, state = run.checkpoint()
    session.restore(arrays)
    with ThreadTeam(config.threads) as team:
        results = compare(config, session.data, forward_weights(session.network), team)
    say(results)
    speed = state["done"] * run.config.batch / max(state["seconds"], 1e-9)
    mine = {"rule": run.config.rule, "wiring": session.rule.wiring(), "seconds": state["seconds"], "images_per_second": speed}
    run.save_results({**mine, **(run.results() or {}), **results})
    page.write(run, forward_weights(session.network))
