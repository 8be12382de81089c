"""Accuracy against budget and labels: every rule with its own defaults, for so many minutes of training."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import neurosim
from neurosim.errors import WiringError
from neurosim.readout.floor import compare
from neurosim.reproduce.cells import Cell, Table
from neurosim.reproduce.grid import Grid
from neurosim.reproduce.page import as_csv, failed, failures, plausible
from neurosim.reproduce.protocol import BOUGHT
from neurosim.training.assembly import make_method
from neurosim.training.config import Config
from neurosim.training.folder import write_text
from neurosim.training.plugins import REGISTRIES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neurosim.engine.threads import ThreadTeam
    from neurosim.reproduce.results import Results
    from neurosim.training.model import Model

DATA = "cifar10"
MINUTES, LABELS = (1.0, 5.0, 20.0, 60.0), (500, 10000)
RECIPES = ("record",)  # beside the rules: asked for by name
LEFT_OUT = ("none",)  # learns nothing: the floor, which every cell has beside it


def table(minutes: Sequence[float]) -> Table:
    """The cells: every rule, and every recipe of `RECIPES`, with every budget; the shortest budgets first.

    Raises:
        WiringError: no budget, or one that is none.
    """
    if not minutes or not all(0 < each < float("inf") for each in minutes):
        raise WiringError(f"minutes={tuple(minutes)}", "numbers above 0", "write minutes=1,5,20,60", "minutes")
    asked = {name: {"rule": name} for name in REGISTRIES["rule"].available() if name not in LEFT_OUT}
    asked |= {name: {"recipe": name} for name in RECIPES}
    cells = [
        Cell(f"{name}-{each:g}", name, f"{each:g} min", {**options, "minutes": each}, None, None)
        for each in sorted(set(minutes))
        for name, options in asked.items()
    ]
    return Table("curve", DATA, DATA, "", 0, 0, 0.0, tuple(cells))


@dataclass(frozen=True)
class Budget:
    """What all cells have in common; it takes the place of the paper's protocol.

    Args:
        data: that the encoder learns from.
        labels: numbers of labels.
        network: instead of each rule's own; None: its own.
        readout: how features are read out; None: as each recipe says.
    """

    data: str
    labels: tuple[int, ...]
    network: str | None = None
    readout: str | None = None

    def config(self, cell: Cell, seed: int, data_dir: str | None = None, threads: int | None = None) -> Config:
        """What one cell with one seed asks for; epochs are fixed when it begins."""
        given = {"network": self.network, "readout": self.readout, **cell.options}
        given = {name: value for name, value in given.items() if value is not None}
        given |= {"data": self.data, "data_dir": data_dir, "threads": threads, "seed": seed, "labels": self.labels}
        return Config.resolve(**given)

    def identity(self, cell: Cell, seed: int) -> dict[str, Any]:
        """What a kept result must have been made with."""
        return self.described(self.config(cell, seed))

    def described(self, config: Config) -> dict[str, Any]:
        """The same of any configuration, whatever its minutes bought."""
        left = ("threads", "data_dir", "seed", *BOUGHT)
        return {name: value for name, value in config.flat().items() if name not in left}

    def title(self) -> str:
        """One line."""
        return f"Accuracy against minutes of training and labels, {self.data}"

    def note(self) -> str:
        """One line."""
        return "every rule with its own defaults and read-out; minutes are of training alone, on this machine"


@dataclass
class Curve(Grid):
    """Every rule with every budget and seed, in a folder; kept, resumed and run side by side as a table's cells are.

    Args:
        table, out, seeds, only, network, readout, device, precision, data_dir, threads, checkpoint_every: as of `Grid`.
        labels: numbers of labels.
    """

    labels: tuple[int, ...] = LABELS

    def _set_protocol(self, encoder: str) -> None:
        if self.scale != 1 or self.device or self.precision:
            raise WiringError("scale, device or precision for curve", "minutes and labels", "leave it out")
        budget: Any = Budget(encoder, self.labels, self.network, self.readout)
        self.protocol = budget  # no paper's, but it is asked the same

    def read_out(self, model: Model, team: ThreadTeam) -> dict[str, Any]:
        """Every layer with every number of labels, beside the same network untrained."""
        encoders = model.encoder(), model.encoder(untrained=True)
        found = compare(*encoders, self.read, make_method(model.config), team).to_json()
        return {"test_accuracy": found["test_accuracy"], "readout": found}


def rows(grid: Curve, results: Results) -> list[dict[str, Any]]:
    """One row a cell and number of labels: means over the seeds that are finished, in %.

    ``accuracy`` is of the best learned layer, ``floor`` of the best untrained one, each chosen within the labels;
    ``spread`` is the standard deviation over seeds, None with one.
    """
    found = []
    for cell in grid.cells:
        mine = [results[cell.name, seed] for seed in range(grid.seeds) if (cell.name, seed) in results]
        for labels in sorted({point["labels"] for each in mine for point in each["readout"]["curve"]}):
            best = [p["best"] for each in mine for p in each["readout"]["curve"] if p["labels"] == labels and p["best"]]
            right = [100 * each["test_accuracy"] for each in best]
            under = [100 * each["floor_accuracy"] for each in best]
            found.append(
                {
                    "rule": cell.row,
                    "minutes": cell.options["minutes"],
                    "labels": labels,
                    "accuracy": statistics.fmean(right) if right else None,
                    "spread": statistics.stdev(right) if len(right) > 1 else None,
                    "floor": statistics.fmean(under) if under else None,
                    "seeds": len(right),
                    "each": right,
                    "images seen": mine[0]["images_seen"],
                    "seconds": statistics.fmean(each["seconds"] for each in mine),
                    "plausible": mine[0]["verdict"],
                    "audit": mine[0]["audit"],
                }
            )
    return found


def markdown(grid: Curve, table: list[dict[str, Any]], command: str) -> str:
    """The table: a row a rule and budget, the numbers of labels side by side."""
    counts = sorted({row["labels"] for row in table})
    left = len(grid.cells) * grid.seeds - sum(row["seeds"] for row in table if row["labels"] == counts[-1])
    heads = ["rule", "minutes", *(f"{count:,} labels (floor)" for count in counts), "seeds", "images seen", "plausible"]
    lines = [f"# {grid.protocol.title()}", "", grid.protocol.note() + ".", ""]
    lines += [
        "% of test images, the best learned layer (the best untrained one); mean ± standard deviation over seeds.",
        "",
    ]
    lines += [f"    {command}", ""]
    if left:
        missing = f"{left} of {grid.seeds * len(grid.cells)} cells are missing or learned nothing"
        lines += [f"Not finished: {missing}.", "", *failures(grid)]
    lines += ["| " + " | ".join(heads) + " |", "|---|---:" + "|---:" * (len(counts) + 2) + "|---|"]
    for name, minutes in dict.fromkeys((row["rule"], row["minutes"]) for row in table):
        mine = {row["labels"]: row for row in table if (row["rule"], row["minutes"]) == (name, minutes)}
        last = mine[max(mine)]
        cells = [name, f"{minutes:g}", *(_cell(mine.get(count)) for count in counts)]
        cells += [str(last["seeds"]), f"{last['images seen']:,}", plausible(last)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any] | None) -> str:
    if row is None or row["accuracy"] is None:
        return "-"
    spread = f" ± {row['spread']:.1f}" if row["spread"] is not None else ""
    return f"{row['accuracy']:.1f}{spread} ({row['floor']:.1f})"


def write(grid: Curve, results: Results, command: str) -> list[Path]:
    """Write curve.md, curve.csv and curve.json into the grid's folder; the files.

    Raises:
        RunError: they cannot be written.
    """
    table = rows(grid, results)
    content: dict[str, Any] = {"title": grid.protocol.title(), "command": command, "neurosim": neurosim.__version__}
    content |= {"failed": failed(grid), "rows": table}
    texts = {"md": markdown(grid, table, command) if table else "", "csv": as_csv(table)}
    texts["json"] = json.dumps(content, indent=2) + "\n"
    paths = [grid.out / f"curve.{kind}" for kind in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_text(path, text)
    return paths
