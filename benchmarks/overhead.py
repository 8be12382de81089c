"""What training takes beside its programs: a real run behind its progress bar, every part of it timed.

    python -m neurosim.bench.overhead

Random pictures, as many and as large as CIFAR-10's, with the options that ``neurosim train`` takes for photographs. An epoch
ends here after a few batches, so that its end is met several times; what happens once an epoch, or once in so many
seconds, is then counted as often as whole epochs would meet it.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
from neurosim.bench.turns import check_place, this_machine
from neurosim.cli.main import main

from neurosim.data.dataset import Dataset
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.training.callbacks import Bar, Checkpoints, Metrics
from neurosim.training.config import Config
from neurosim.training.folder import Run, write_json
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream
from neurosim.training.trainer import Trainer

PROGRAMS, LOOP = "programs", "everything else of the loop"
SHOW, DRAW, TELL = "pictures chosen and copied, deformations drawn", "the rule's own draws", "progress told and drawn"
METRICS, CHECKPOINT = "metrics.csv, once an epoch", "checkpoint, once in 60 s"
ALONE, ALL = "programs alone", "all"
CHECKPOINT_EVERY = 60.0


class Watch:
    """Name -> wall seconds, processor seconds and calls."""

    def __init__(self):
        self.spent = {}

    def over(self, name: str, call):
        """The same call, counted under a name."""
        spent = self.spent.setdefault(name, np.zeros(3))

        def counted(*arguments):
            wall, processor = time.perf_counter(), time.process_time()
            try:
                return call(*arguments)
            finally:
                spent[:] += time.perf_counter() - wall, time.process_time() - processor, 1

        return counted


class Short(ViewStream):
    """A stream whose epochs end after so many ``batches``; their order is still one of all pictures."""

    batches = 1


class Watched(Trainer):
    """A trainer with a watch over whatever it calls; after every batch its program runs once more, alone."""

    def __init__(self, watch: Watch, model: Model, stream: Short, run: Run):
        bar, metrics, checkpoints = Bar(), Metrics(run), Checkpoints(run, CHECKPOINT_EVERY)
        super().__init__(model, stream, [bar, metrics, checkpoints])
        self.watch, self.program = watch, model.program
        model.program = lambda phase: SimpleNamespace(run=watch.over(PROGRAMS, self.program(phase).run))
        stream.load, model.rule.draw = watch.over(SHOW, stream.load), watch.over(DRAW, model.rule.draw)
        bar.on_batch = watch.over(TELL, bar.on_batch)
        run.save_metrics, checkpoints.save = (
            watch.over(METRICS, run.save_metrics),
            watch.over(CHECKPOINT, checkpoints.save),
        )

    def _batch(self, team: ThreadTeam) -> None:
        super()._batch(team)
        self.watch.over(ALONE, self.program(self.progress.phase).run)(team)


class Terminal(io.TextIOWrapper):
    """A terminal that nobody looks at: the bar is drawn as for one."""

    def isatty(self) -> bool:
        return True


def measure(config: Config, images: int, batches: int) -> dict[str, list[float]]:
    """One run: part -> wall seconds, processor seconds, calls.

    Raises:
        WiringError: a rule that trains nothing.
    """
    pictures = np.random.default_rng(0).integers(0, 256, (images, 32, 32, 3), np.uint8)
    model, watch = Model(config, pictures.shape[1:]), Watch()
    stream = Short(model, Dataset("random", pictures, None, None, None, ()))
    stream.batches = batches
    if not model.rule.phases:
        raise WiringError(f"--rule {config.rule.name} trains nothing", "a rule that does", "write --rule ll")
    with tempfile.TemporaryDirectory() as folder, ThreadTeam(config.training.threads) as team:
        model.ready(stream, team)
        for phase in model.rule.phases:
            model.program(phase).run(team)  # touches every array
        trainer = Watched(watch, model, stream, Run.create(Path(folder) / "run", config, model.rule.wiring()))
        with open(os.devnull, "wb") as file, Terminal(file) as terminal, contextlib.redirect_stderr(terminal):
            watch.over(ALL, trainer.train)(team)
    return {name: spent.tolist() for name, spent in watch.spent.items()}


def shares(spent: dict, batches: int) -> dict[str, dict[str, float]]:
    """Part -> wall and processor seconds of a batch, and its share of them, as in epochs of so many ``batches``."""
    count = spent[PROGRAMS][2]
    each = {name: np.array(s[:2]) / count for name, s in spent.items() if name != ALL}
    each[LOOP] = np.array(spent[ALL][:2]) / count - sum(each.values())
    del each[ALONE]
    often = sum(each[name] for name in (PROGRAMS, SHOW, DRAW, TELL, LOOP))
    each[METRICS] *= count / spent[METRICS][2] / batches
    each[CHECKPOINT] *= count / spent[CHECKPOINT][2] * often[0] / CHECKPOINT_EVERY
    total = sum(each.values())
    return {name: {"wall": s[0], "processor": s[1], "share": s[1] / total[1]} for name, s in each.items()}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rule", default="ll", show_default=True, help="As of `neurosim train`.")
@click.option(
    "--images", type=click.IntRange(min=2), default=50_000, show_default=True, help="Random pictures of 32 x 32 x 3."
)
@click.option(
    "--batches", type=click.IntRange(min=1), default=30, show_default=True, help="Of one of the run's epochs."
)
@click.option("--epochs", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--batch", type=click.IntRange(min=2), help="Pairs.  [default: as for photographs]")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write everything measured as JSON.")
def overhead(rule, images, batches, epochs, batch, threads, out):
    """Time a training run part by part, and its programs alone."""
    check_place(out)
    config = Config.resolve(rule=rule, data="random.npz", epochs=epochs, batch=batch, threads=threads)
    if not batches * config.training.batch <= images:
        raise WiringError(
            f"--batches {batches} of {config.training.batch}", f"at most the {images} images", "write fewer batches"
        )
    spent = measure(config, images, batches)
    parts = shares(spent, images // config.training.batch)
    click.echo(
        f"{rule}, {config.network.name}, {images} images, batches of {config.training.batch}, {threads} threads\n"
        f"{'part':<46}{'wall ms a batch':>17}{'processor ms':>14}{'share':>9}"
    )
    for name, part in parts.items():
        click.echo(f"{name:<46}{1e3 * part['wall']:17.3f}{1e3 * part['processor']:14.3f}{part['share']:9.2%}")
    whole, alone = (sum(p["processor"] for p in parts.values()), spent[ALONE][1] / spent[PROGRAMS][2])
    needed = alone + parts[SHOW]["processor"]
    click.echo(
        f"a batch of training takes {whole / needed - 1:+.2%} beside its programs run alone and its pictures "
        f"({1e3 * whole:.2f} and {1e3 * needed:.2f} ms of processors)"
    )
    if out:
        record = {
            **this_machine(threads),
            "rule": rule,
            "images": images,
            "batch": config.training.batch,
            "network": config.network.name,
            "parts": parts,
            "beside programs alone and pictures": whole / needed - 1,
            "spent": spent,
        }
        write_json(out, record)


if __name__ == "__main__":
    main(command=overhead, name="python -m neurosim.bench.overhead")
