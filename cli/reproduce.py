"""``neurosim reproduce``: the grid of one of the paper's tables, or of budgets, with its progress and the time left."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli.clock import Clock, long, shown
from neurosim.cli.help import Command
from neurosim.cli.options import take_device

from neurosim.core.memory import room
from neurosim.core.writing import write_whole
from neurosim.errors import RunError, WiringError
from neurosim.report import budgets, figures
from neurosim.reproduce import curve, forecast, page, pool
from neurosim.reproduce.cells import TABLES, Table
from neurosim.reproduce.grid import Grid
from neurosim.training.trainer import Interrupted

if TYPE_CHECKING:
    from neurosim.reproduce.results import Results

CURVE, SCALE = "curve", 0.001
MOST_JOBS = 8  # by default: each process holds the images


@click.command(cls=Command, epilog="Example: neurosim reproduce table1 --only 'll-*' --dry-run")
@click.argument("table", type=click.Choice([*TABLES, CURVE]))
@click.option("--data-dir", help="Where the files of cifar10, cifar100 and stl10 are.")
@click.option(
    "--scale",
    type=float,
    help="Of the images seen, as published: 1. Images and batch shrink as its cube root, epochs as its square.  "
    f"[default: {SCALE:g}]",
)
@click.option(
    "--minutes",
    metavar="M1,M2,...",
    help="Of training; of a table one number, of every cell that learns, in place of epochs.  [default: of curve 1,5,20,60]",
)
@click.option("--labels", metavar="N1,N2,...", help="Numbers of labels, for curve.  [default: 500,10000]")
@click.option("--seeds", type=int, default=3, show_default=True, help="How many.")
@click.option(
    "--only", multiple=True, metavar="PATTERN", help="Cells, as 'll-*'; may be repeated. Their floors come with them."
)
@click.option("--encoder-data", help="Other images for the encoder: cifar10 for table1 on CIFAR-10 alone.")
@click.option("--network", help="Another network than the paper's.")
@click.option(
    "--readout", help="lbfgs, ridge, adam, hinge or knn.  [default: adam, as published, at scale 1; lbfgs below]"
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the grid.  [default: runs/TABLE-SCALE]")
@click.option("--threads", type=int, help="In all; any number gives the same bits.  [default: every core]")
@click.option(
    "--jobs",
    type=int,
    help="Cells at a time, each in a process with its share of the threads, to the same bits.  "
    "[default: one a thread, 8 at most, as many as fit into memory; 1 on a GPU]",
)
@click.option("--device", help="cpu, gpu, or auto: a GPU where there is one.  [default: cpu]")
@click.option("--precision", help="float32, float64; of a GPU's products also tf32.  [default: float32]")
@click.option("--list", "listed", is_flag=True, help="Print the cells, and do nothing.")
@click.option(
    "--dry-run", is_flag=True, help="Say how long it would take, from one batch of every plan, and do nothing."
)
def reproduce(table: str, jobs: int | None, listed: bool, dry_run: bool, **given: Any) -> None:
    """Run the grid of the paper's TABLE, table1 (CIFAR) or table2 (STL-10); or curve: every rule for so many --minutes.

    Every finished cell is kept; the same command goes on where it stopped, in the middle of a cell too. At the end the
    folder holds the table as Markdown, CSV, JSON and a figure.
    """
    minutes = _numbers(table, "minutes", given.pop("minutes"))
    chosen = _table(table, minutes)
    if listed:
        _list(chosen, given["only"])
        return
    take_device(given)
    grid = _grid(chosen, _numbers(table, "labels", given.pop("labels")), **given)
    click.echo(f"table     {grid.protocol.title()}")
    click.echo(f"protocol  {grid.protocol.note()}")
    click.echo(f"grid      {len(grid.cells)} cells x {grid.seeds} seeds in {grid.out}, {len(grid.results())} finished")
    threads = grid.threads or pool.cores()
    jobs = _jobs(jobs, threads, grid)
    if dry_run:
        _forecast(grid, jobs, max(1, threads // jobs))
    else:
        _run(grid, jobs, max(1, threads // jobs))


def _table(name: str, minutes: tuple[float, ...]) -> Table:
    """The cells, with a budget each where one was given."""
    if name == CURVE:
        return curve.table(minutes or curve.MINUTES)
    return TABLES[name].within(*minutes) if minutes else TABLES[name]


def _numbers(table: str, name: str, text: str | None) -> tuple[float, ...]:
    """Of an option of `curve`; none where it was not given. A table has one number of minutes.

    Raises:
        WiringError: no numbers, or of another table.
    """
    if text is None:
        return ()
    try:
        found = tuple(map(float, text.split(",")))
    except ValueError:
        found = ()
    if not found or (table != CURVE and (name != "minutes" or len(found) > 1)):
        expected = f"numbers with commas between, with {CURVE} alone; of a table one --minutes"
        raise WiringError(f"--{name} {text} with {table}", expected, f"write neurosim reproduce {CURVE} --{name} 1,5")
    return found


def _grid(table: Table, labels: tuple[float, ...], scale: float | None, out: Path | None, **given: Any) -> Grid:
    """The grid of a table in its folder.

    Raises:
        WiringError: a scale beside minutes.
    """
    encoder = given.pop("encoder_data")
    other = f"-{encoder}" if encoder else ""
    if table.name != CURVE:
        scale = SCALE if scale is None else scale
        long = f"{scale:g}" if table.minutes is None else f"{table.minutes:g}min"
        return Grid(table, out or Path("runs") / f"{table.name}-{long}{other}", scale, encoder=encoder, **given)
    if scale is not None:
        raise WiringError(f"--scale {scale:g} with {CURVE}", "a budget", "write --minutes 1,5 instead")
    counts = tuple(map(int, labels)) or curve.LABELS
    return curve.Curve(table, out or Path("runs") / f"{CURVE}{other}", encoder=encoder, labels=counts, **given)


def _list(table: Table, only: tuple[str, ...]) -> None:
    for cell in table.choose(only):
        published = "-" if cell.published is None else f"{cell.published:.2f}"
        click.echo(f"{cell.name:24} {published:>6}  {', '.join(filter(None, (cell.row, cell.column)))}")


def _jobs(asked: int | None, threads: int, grid: Grid) -> int:
    """Cells at a time: no more than there are, and by default no more than memory holds.

    Raises:
        WiringError: a number that cannot be.
    """
    if asked is not None and asked < 1:
        raise WiringError(f"--jobs {asked}", "at least 1", "write --jobs 1")
    left = grid.seeds * len(grid.cells) - len(grid.results())
    jobs = max(1, min(asked or (1 if grid.device == "gpu" else min(threads, MOST_JOBS)), left))
    if jobs == 1:
        return jobs
    free, each = room(), forecast.memory(grid)
    fit = max(1, free // each)
    much = f"{each / 1e9:.1f} GB a cell, of {free / 1e9:.1f} GB"
    if asked and fit < jobs:
        click.echo(f"warning: --jobs {asked} takes {much} that can be had; that fits {fit}", err=True)
    elif fit < jobs:
        jobs = fit
        click.echo(f"memory    {much} that can be had: {fit} cell{'s' * (fit > 1)} at a time")
    return jobs


def _forecast(grid: Grid, jobs: int, threads: int) -> None:
    done = grid.results()
    times = forecast.measure(grid, grid.cells, threads, lambda cell: shown(f"measuring {cell.name}"))
    shown("")
    for cell in grid.cells:
        train, read = times[cell.name]
        click.echo(f"{cell.name:24} {long(train):>9} of training, {long(read):>9} of read-out, a seed")
    left = sum(sum(times[cell.name]) for cell, seed in grid.tasks() if (cell.name, seed) not in done)
    click.echo(f"expected  {long(left / jobs)} for what is not finished, {_side_by_side(jobs, threads)}")


def _side_by_side(jobs: int, threads: int) -> str:
    """How many cells at a time, in words."""
    many = f"{threads} thread{'s' * (threads > 1)}"
    return f"{jobs} cells at a time, {many} each" if jobs > 1 else f"on {many}"


def _run(grid: Grid, jobs: int, threads: int) -> None:
    """Everything that is not finished, then the table and its figure."""
    command = shlex.join(["neurosim", *_words(grid)])
    clock = Clock(grid)

    def on_result(results: Results) -> None:
        clock.on_result(results)
        _files(grid, results, command)

    try:
        if jobs > 1:
            click.echo(f"running   {_side_by_side(jobs, threads)}")
            pool.run(grid, jobs, threads, clock.on_stage, on_result)
        else:
            grid.run(threads, clock.on_stage, on_result)
    except (Interrupted, KeyboardInterrupt):
        stopped = "stopped; finished cells and the last checkpoints are kept. The same command goes on."
        click.echo(f"\n{stopped}", err=True)
        sys.exit(130)
    _write(grid, command)
    if grid.failed:
        raise _failed(grid)


def _failed(grid: Grid) -> RunError:
    """What is said at the end where cells failed; the code is the largest of theirs."""
    (name, seed), problem = next(iter(grid.failed.items()))
    count = len(grid.failed)
    cells = "1 cell" if count == 1 else f"{count} cells"
    error = RunError(
        f"{cells} failed and the others are finished; the first was {name}, seed {seed} ({problem.parts[0]})",
        problem.parts[1],
        f"{problem.parts[2]}; the same command tries what failed again",
    )
    error.exit_code = max(each.exit_code for each in grid.failed.values())
    return error


def _files(grid: Grid, results: Results, command: str) -> list[Path]:
    """The table's files, written."""
    if isinstance(grid, curve.Curve):
        return curve.write(grid, results, command)
    return page.write(grid, results, command)


def _write(grid: Grid, command: str) -> None:
    """The table, on the screen and as files, and its figure."""
    results = grid.results()
    files = _files(grid, results, command)
    paged: Any = curve if isinstance(grid, curve.Curve) else page
    table = paged.rows(grid, results)
    click.echo("\n" + paged.markdown(grid, table, command))
    if figures.can_plot():
        files.append(grid.out / f"{grid.table.name}.png")
        draw = budgets.curves if paged is curve else figures.published
        picture = draw(table, grid.protocol.title())
        write_whole(files[-1], lambda file: file.write(picture))
    else:
        click.echo("figure    none: it needs matplotlib; pip install 'neurosim[plots]' and give the same command again")
    click.echo("files     " + ", ".join(map(str, files)))


def _words(grid: Grid) -> list[str]:
    """The command line that makes this grid, without where its files are."""
    budget = isinstance(grid, curve.Curve)
    given = {
        "scale": None if budget else f"{grid.scale:g}",
        "minutes": ",".join(f"{each:g}" for each in grid.table.budgets) or None,
        "labels": ",".join(map(str, grid.labels)) if isinstance(grid, curve.Curve) else None,
        "seeds": str(grid.seeds),
        "encoder-data": grid.encoder,
        "network": grid.network,
        "readout": grid.readout,
        "device": grid.device,
        "precision": grid.precision,
    }
    words = [word for name, value in given.items() if value is not None for word in (f"--{name}", value)]
    only = [word for pattern in grid.only for word in ("--only", pattern)]
    return ["reproduce", grid.table.name, "--data-dir", "DIR", *words, *only]
