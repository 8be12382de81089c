"""How far a grid is, and how long the rest will take: a line that the next one overwrites, and one a finished cell."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click
from neurosim.cli.announce import span

from neurosim.reproduce import forecast

if TYPE_CHECKING:
    from neurosim.reproduce.grid import Grid, Stage
    from neurosim.reproduce.results import Results


def long(seconds: float) -> str:
    """Seconds in words; a grid may take days."""
    return f"{seconds / 86400:.1f} days" if seconds >= 1.5 * 86400 else span(seconds)


def shown(line: str) -> None:
    """A line that the next one overwrites, on a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{line}", err=True, nl=False)


class Clock:
    """Shows how far the grid is and how long the rest will take, judged by the arithmetic that is left."""

    def __init__(self, grid: Grid):
        finished, self.grid, self.failed = grid.results(), grid, 0
        tasks = [cell for cell, seed in grid.tasks() if (cell.name, seed) not in finished]
        self.whole, self.finished = grid.seeds * len(grid.cells), grid.seeds * len(grid.cells) - len(tasks)
        self.weights = {cell.name: max(1.0, forecast.work(grid, cell)) for cell in tasks}
        self.total, self.spent = sum(self.weights[cell.name] for cell in tasks), 0.0
        self.began, self.last = time.perf_counter(), 0.0
        self.stages: dict[tuple[str, int], Stage] = {}  # of the cells that are at work

    def on_stage(self, stage: Stage) -> None:
        """After every batch."""
        self.stages[stage.cell, stage.seed] = stage
        now = time.perf_counter()
        if stage.what == "builds" and not sys.stderr.isatty():
            number = self.finished + len(self.stages)
            click.echo(f"[{number}/{self.whole}] {stage.cell}, seed {stage.seed}  begins", err=True)
        if now - self.last > 0.2 or stage.what == "read-out":
            self.last = now
            shown(f"{self._now(stage)}  {self.left()}")

    def _now(self, stage: Stage) -> str:
        """What is at work: one cell with its epoch and error, several with what is done of each."""
        if len(self.stages) > 1:
            cells = [f"{s.cell} {s.seed}: {s.part:.0%}" for s in self.stages.values()]
            return f"[{self.finished}/{self.whole}] {', '.join(cells)}"
        epoch = f"  epoch {stage.epoch}/{stage.epochs}  error {stage.error:.3f}" if stage.epochs else ""
        return f"[{self.finished + 1}/{self.whole}] {stage.cell}, seed {stage.seed}  {stage.what}{epoch}"

    def left(self) -> str:
        """In words."""
        done = self.spent + sum(stage.part * self.weights[stage.cell] for stage in self.stages.values())
        spent = time.perf_counter() - self.began
        return f"{long(spent * (self.total - done) / done)} left" if done > 0 and spent > 1 else ""

    def on_result(self, results: Results) -> None:
        """After every cell: one line, of its accuracy or of what it failed by."""
        if len(self.grid.failed) > self.failed:
            self.failed += 1
            (name, seed), problem = next(reversed(self.grid.failed.items()))
            said = f"failed: {problem}"
        else:
            result = next(reversed(results.values()))
            name, seed, said = result["cell"], result["seed"], f"{100 * result['test_accuracy']:.1f} %"
        self.stages.pop((name, seed), None)
        self.spent += self.weights[name]
        self.finished += 1
        shown("")
        click.echo(f"[{self.finished}/{self.whole}] {name}, seed {seed}: {said}, {self.left() or '0 s left'}")
