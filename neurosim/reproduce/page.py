"""The table of a grid: as rows, as Markdown, CSV and JSON; its figure is `neurosim.report.figures.published`."""

from __future__ import annotations

import csv
import io
import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

import neurosim
from neurosim.reproduce.results import PASSED
from neurosim.training.folder import write_text

if TYPE_CHECKING:
    from neurosim.reproduce.grid import Grid
    from neurosim.reproduce.results import Results

HEAD = ("cell", "setting", "paper", "ours", "spread", "floor", "over floor", "seeds", "images seen", "plausible")


def rows(grid: Grid, results: Results) -> list[dict[str, Any]]:
    """One row a cell, in the table's order; accuracies in % of the test images.

    ``ours`` is the mean over the seeds that are finished and ``spread`` the standard deviation over them (None with one
    seed), ``floor`` the mean of the same network untrained over the same seeds, ``images seen`` those of one seed.
    """
    found = []
    for cell in grid.cells:
        mine = {seed: results[cell.name, seed] for seed in range(grid.seeds) if (cell.name, seed) in results}
        right = [100 * result["test_accuracy"] for result in mine.values()]
        under = [results.get((cell.floor or "", seed)) for seed in mine]
        floors = [100 * result["test_accuracy"] for result in under if result is not None]
        one = next(iter(mine.values()), {})
        ours = statistics.fmean(right) if right else None
        floor = statistics.fmean(floors) if floors else None
        found.append(
            {
                "name": cell.name,
                "cell": cell.row,
                "setting": cell.column,
                "paper": cell.published,
                "ours": ours,
                "spread": statistics.stdev(right) if len(right) > 1 else None,
                "floor": floor,
                "over floor": None if ours is None or floor is None else ours - floor,
                "seeds": len(right),
                "images seen": one.get("images_seen"),
                "plausible": one.get("verdict"),
                "audit": one.get("audit"),
                "seconds": sum(result["seconds"] for result in mine.values()),
                "each": right,
            }
        )
    return found


def text(name: str, value: object) -> str:
    """A number of the table as it is printed."""
    if value is None or value == "":
        return "" if name == "setting" else "-"
    if name in ("paper", "ours", "floor", "spread"):
        return f"{value:.2f}" if name in ("paper", "spread") else f"{value:.1f}"
    if name == "over floor":
        return f"{value:+.1f}"
    return f"{value:,}" if isinstance(value, int) and name == "images seen" else str(value)


def markdown(grid: Grid, table: list[dict[str, Any]], command: str) -> str:
    """The table with its title, its protocol and the command that makes it."""
    left = sum(grid.seeds - row["seeds"] for row in table)
    lines = [
        f"# {grid.protocol.title()}",
        "",
        grid.protocol.note() + ".",
        "",
        "% of test images, top layer; ours: mean and standard deviation over seeds; floor: the same network untrained; "
        "plausible: the audit's answer.",
        "",
        f"    {command}",
        "",
    ]
    if left:
        lines += [f"Not finished: {left} of {grid.seeds * len(table)} cells are missing.", "", *failures(grid)]
    lines += ["| " + " | ".join(HEAD) + " |", "|---|---|" + "---:|" * (len(HEAD) - 3) + "---|"]
    lines += [
        "| " + " | ".join([*(text(name, row[name]) for name in HEAD[:-1]), plausible(row)]) + " |" for row in table
    ]
    found = [
        f"- {row['cell']}{', ' * bool(row['setting'])}{row['setting']}: {row['audit']}"
        for row in table
        if row["plausible"] not in (None, PASSED)
    ]
    if found:
        lines += ["", "What the audit found:", "", *found]
    return "\n".join(lines) + "\n"


def failed(grid: Grid) -> dict[str, str]:
    """Each cell that failed now, in words -> by what."""
    return {f"{name}, seed {seed}": str(problem) for (name, seed), problem in grid.failed.items()}


def failures(grid: Grid) -> list[str]:
    """What stopped the cells that failed now, a line each."""
    lines = [f"- {cell}, failed: {problem}" for cell, problem in failed(grid).items()]
    return [*lines, ""] if lines else []


def plausible(row: dict[str, Any]) -> str:
    """The audit's answer in a word or two."""
    if row["plausible"] == PASSED:
        whole = any(words in row["audit"] for words in ("local over a batch", "not strictly local in time"))
        return "yes, not strictly local in time" if whole else "yes"
    return {None: "-", "violated": "no"}.get(row["plausible"]) or str(row["plausible"])


def as_csv(table: list[dict[str, Any]]) -> str:
    """The rows as CSV; what is missing is empty."""
    file = io.StringIO()
    names = [name for name in (table[0] if table else {}) if name != "each"]
    writer = csv.DictWriter(file, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(table)
    return file.getvalue()


def write(grid: Grid, results: Results, command: str) -> list[Path]:
    """Write NAME.md, NAME.csv and NAME.json into the grid's folder.

    Args:
        grid: whose.
        results: of `Grid.results`.
        command: that makes it again.

    Returns:
        The files.

    Raises:
        RunError: they cannot be written.
    """
    table, name, protocol = rows(grid, results), grid.table.name, grid.protocol
    content = {
        "title": protocol.title(),
        "protocol": protocol.note(),
        "scale": protocol.scale,
        "command": command,
        "neurosim": neurosim.__version__,
        "failed": failed(grid),
        "rows": table,
    }
    texts = {"md": markdown(grid, table, command), "csv": as_csv(table), "json": json.dumps(content, indent=1) + "\n"}
    for ending, one in texts.items():
        write_text(grid.out / f"{name}.{ending}", one)
    return [grid.out / f"{name}.{ending}" for ending in texts]
