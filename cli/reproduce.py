"""``neurosim reproduce``: the grid of one of the paper's tables, with its progress and the time that is left."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import click
from neurosim.cli.train import span, take_device

from neurosim.execute import Workers
from neurosim.report import figures
from neurosim.reproduce import forecast, page
from neurosim.reproduce.cells import TABLES
from neurosim.reproduce.grid import Grid
from neurosim.run import write_whole
from neurosim.train import Interrupted


@click.command()
@click.argument("table", type=click.Choice(list(TABLES)))
@click.option("--data-dir", help="Where the files of cifar10, cifar100 and stl10 are.")
@click.option("--scale", type=float, default=0.001, show_default=True,
              help="Of the images seen, as published: 1. Images and batch shrink as its cube root, epochs as its square.")
@click.option("--seeds", type=int, default=3, show_default=True, help="How many.")
@click.option("--only", multiple=True, metavar="PATTERN", help="Cells, as 'll-*'; may be repeated. Their floors come with them.")
@click.option("--encoder-data", help="Other images for the encoder: cifar10 for table1 on CIFAR-10 alone.")
@click.option("--network", help="Another network than the paper's.")
@click.option("--readout", help="lbfgs, adam, hinge or knn.  [default: adam, as published, at scale 1; lbfgs below]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the grid.  [default: runs/TABLE-SCALE]")
@click.option("--threads", type=int, help="Any number gives the same bits.  [default: every core]")
@click.option("--device", help="cpu, gpu, or auto: a GPU where there is one.  [default: cpu]")
@click.option("--precision", help="float32, float64; of a GPU's products also tf32.  [default: float32]")
@click.option("--list", "listed", is_flag=True, help="Print the cells, and do nothing.")
@click.option("--dry-run", is_flag=True, help="Say how long it would take, from one batch of every plan, and do nothing.")
def reproduce(table, data_dir, scale, seeds, only, encoder_data, network, readout, out, threads, device, precision, listed,
              dry_run):  # fmt: skip
    """Run the grid of the paper's TABLE: table1 (CIFAR) or table2 (STL-10).

    Every finished cell is kept; the same command goes on where it stopped, in the middle of a cell too. At the end the
    folder holds the table as Markdown, CSV, JSON and a figure.
    """
    chosen = TABLES[table]
    if listed:
        for cell in chosen.choose(only):
            told = "-" if cell.published is None else f"{cell.published:.2f}"
            click.echo(f"{cell.name:24} {told:>6}  {', '.join(filter(None, (cell.row, cell.column)))}")
        return
    out = out or Path("runs") / f"{table}-{scale:g}{f'-{encoder_data}' * bool(encoder_data)}"
    given = {"device": device}
    take_device(given)
    grid = Grid(chosen, out, scale, seeds, only, encoder_data, network, readout, given["device"], precision, data_dir, threads)
    click.echo(f"table     {grid.protocol.title()}")
    click.echo(f"protocol  {grid.protocol.note()}")
    click.echo(f"grid      {len(grid.cells)} cells x {seeds} seeds in {out}, {len(grid.results())} finished")
    with Workers(threads) as workers:
        if dry_run:
            _forecast(grid, workers)
        else:
            _run(grid, workers)


def _span(seconds: float) -> str:
    """Seconds in words; a grid may take days."""
    return f"{seconds / 86400:.1f} days" if seconds >= 1.5 * 86400 else span(seconds)


def _forecast(grid: Grid, workers: Workers) -> None:
    done = grid.results()
    times = forecast.measure(grid, grid.cells, workers, lambda cell: _show(f"measuring {cell.name}"))
    _show("")
    for cell in grid.cells:
        train, read = times[cell.name]
        click.echo(f"{cell.name:24} {_span(train):>9} of training, {_span(read):>9} of read-out, a seed")
    left = sum(sum(times[cell.name]) for cell, seed in grid.tasks() if (cell.name, seed) not in done)
    click.echo(f"expected  {_span(left)} for what is not finished, on {workers.threads} threads")


def _show(line: str) -> None:
    """A line that the next one overwrites, on a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{line}", err=True, nl=False)


class _Clock:
    """Tells how far the grid is and how long the rest will take, judged by the arithmetic that is left."""

    def __init__(self, grid: Grid):
        done = grid.results()
        self.grid, self.tasks = grid, [task for task in grid.tasks() if (task[0].name, task[1]) not in done]
        self.weights = {cell.name: max(1.0, forecast.work(grid, cell)) for cell, _ in self.tasks}
        self.total = sum(self.weights[cell.name] for cell, _ in self.tasks)
        self.began, self.finished, self.first = time.perf_counter(), 0.0, None
        self.number, self.last = 0, 0.0

    def tell(self, cell, seed, trainer, what) -> None:
        """After every batch."""
        part = 0.0
        if trainer is None:
            self.number += 1
            self.first = None
            if not sys.stderr.isatty():
                click.echo(f"{self._place(cell, seed)}  begins", err=True)
        elif trainer.session.epochs:
            batches = trainer.session.epochs * trainer.session.batches
            if self.first is None:
                self.first = trainer.progress.done - 1  # batches of an earlier start cost nothing now
            part = (trainer.progress.done - self.first) / max(1, batches - self.first)
        now = time.perf_counter()
        if now - self.last > 0.2 or what == "read-out":
            self.last = now
            left = self.left(self.finished + part * self.weights[cell.name])
            epoch = "" if trainer is None or what == "read-out" else (
                f"  epoch {min(trainer.progress.epoch + 1, trainer.session.epochs)}/{trainer.session.epochs}"
                f"  error {trainer.progress.error:.3f}")  # fmt: skip
            _show(f"{self._place(cell, seed)}  {what}{epoch}  {left}")

    def _place(self, cell, seed) -> str:
        whole = self.grid.seeds * len(self.grid.cells)
        return f"[{whole - len(self.tasks) + self.number}/{whole}] {cell.name}, seed {seed}"

    def left(self, done: float) -> str:
        """In words."""
        spent = time.perf_counter() - self.began
        return f"{_span(spent * (self.total - done) / done)} left" if done > 0 and spent > 1 else ""

    def cell(self, results: dict) -> None:
        """After every cell: one line."""
        result = next(reversed(results.values()))
        self.finished += self.weights[result["cell"]]
        _show("")
        number = self.grid.seeds * len(self.grid.cells) - len(self.tasks) + self.number
        click.echo(f"[{number}/{self.grid.seeds * len(self.grid.cells)}] {result['cell']}, seed {result['seed']}: "
                   f"{100 * result['test_accuracy']:.1f} %, {self.left(self.finished) or '0 s left'}")  # fmt: skip


def _run(grid: Grid, workers: Workers) -> None:
    """Everything that is not finished, then the table and its figure."""
    command = shlex.join(["neurosim", *_words(grid)])
    clock = _Clock(grid)

    def done(results: dict) -> None:
        clock.cell(results)
        page.write(grid, results, command)

    try:
        grid.run(workers, clock.tell, done)
    except (Interrupted, KeyboardInterrupt):
        click.echo("\nstopped; every finished cell and this one's last checkpoint are kept. The same command goes on.", err=True)
        sys.exit(130)
    results = grid.results()
    files = page.write(grid, results, command)
    table = page.rows(grid, results)
    click.echo("\n" + page.markdown(grid, table, command))
    if figures.can_plot():
        files.append(grid.out / f"{grid.table.name}.png")
        picture = figures.published(table, grid.protocol.title())
        write_whole(files[-1], lambda file: file.write(picture))
    else:
        click.echo("figure    none: it needs matplotlib; pip install 'neurosim[plots]' and give the same command again")
    click.echo("files     " + ", ".join(map(str, files)))


def _words(grid: Grid) -> list[str]:
    """The command line that makes this grid, without where its files are."""
    told = {"scale": f"{grid.scale:g}", "seeds": str(grid.seeds), "encoder-data": grid.encoder, "network": grid.network,
             "readout": grid.readout, "device": grid.device, "precision": grid.precision}  # fmt: skip
    words = [word for name, value in told.items() if value is not None for word in (f"--{name}", value)]
    return ["reproduce", grid.table.name, "--data-dir", "DIR", *words, *(w for p in grid.only for w in ("--only", p))]
