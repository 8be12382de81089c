"""``neurosim export``: a model into a file that other programs read."""

from __future__ import annotations

from pathlib import Path

import click
from neurosim.cli.help import Command
from neurosim.cli.trusting import trusting

import neurosim as ns


@click.command(cls=Command, epilog="Example: neurosim export runs/a model.onnx")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--licence", metavar="TEXT", help="Of the weights, kept in the file.  [default: not stated]")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@trusting
def export(folder: Path, out: Path, licence: str | None, force: bool, trust: tuple[str, ...]) -> None:
    """Write the model of the run in FOLDER into OUT: .onnx, .safetensors or .npz.

    The weights of the last checkpoint, and what a stranger must know of them: rule, network, the audit's verdict, licence and
    configuration. An .onnx file takes pictures (sample, row, column, channel) of bytes, any number at once, and gives every layer's
    activity (layer1 ...) and what the read-out sees of it (features1 ...); it is run by onnxruntime before it is written.
    """
    experiment = ns.load(folder, trust=trust)
    click.echo(str(ns.export.write(experiment, out, **({"licence": licence} if licence else {}), force=force)))
