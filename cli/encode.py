"""``neurosim encode``: features of pictures into a file."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli.help import Command
from neurosim.cli.trusting import trusting

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = 10.0  # seconds between lines where there is no terminal


@click.command(
    cls=Command,
    epilog="Example: neurosim encode runs/a folder:photos features.npz --layer 1,3 --dtype float16",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("data")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--layer", metavar="N|N,N|all|together", help="Which layers.  [default: the top]")
@click.option("--part", metavar="PART", default="all", show_default=True, help="all, train, readout or test.")
@click.option("--dtype", metavar="TYPE", default="float32", show_default=True, help="float32 or float16.")
@click.option("--data-dir", metavar="FOLDER", help="Where cifar10, cifar100 and stl10 are.  [default: as the run had]")
@click.option(
    "--batch", type=int, default=1024, show_default=True, help="Pictures read at once; any number: the same bits."
)
@click.option("--threads", type=int, help="Any number gives the same bits.  [default: as the run had]")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@trusting
def encode(
    folder: Path,
    data: str,
    out: Path,
    layer: str | None,
    part: str,
    dtype: str,
    data_dir: str | None,
    batch: int,
    threads: int | None,
    force: bool,
    trust: tuple[str, ...],
) -> None:
    """Write the features of the pictures DATA, by the run in FOLDER, into OUT: .npz, .npy, .csv or .parquet.

    DATA is what --data of train takes, as folder:photos or cifar10. A row is a picture, files in the order of their names. .npz
    holds the arrays features (or layer1, layer2 ...), names, labels (-1: none), part and classes; .csv and .parquet have them as
    columns; .npy holds the features alone. "together" is all layers that learned, side by side.
    """
    from neurosim.experiment import Experiment

    experiment = Experiment.load(folder, trust=trust, threads=threads)
    options: dict[str, Any] = {"part": part, "dtype": dtype, "data_dir": data_dir, "batch": batch, "force": force}
    with _progress() as show:
        written = experiment.encode_to(out, data, layer, **options, show=show)
    click.echo(str(written))


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, elsewhere a line every ten seconds."""
    began = last = time.monotonic()
    with contextlib.ExitStack() as stack:
        bar: Any = None

        def show(done: int, total: int) -> None:
            nonlocal bar, last
            now = time.monotonic()
            if sys.stderr.isatty():
                bar = bar or stack.enter_context(click.progressbar(length=total, label="encode", file=sys.stderr))
                bar.update(done - bar.pos)
            elif done and now - last >= EVERY:
                last = now
                click.echo(f"encode    {done:,} of {total:,} pictures, {done / (now - began):.0f} a second", err=True)

        yield show
