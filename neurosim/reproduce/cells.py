"""The cells of the paper's two tables: what each asks for, and the number that was published.

Source: Tang, Yang, Amit, Front. Comput. Neurosci. 16:789253 (2022), tables 1 and 2. What its tables leave open stands
here in words: SimCLR has the hinge's own deformations and temperature 0.1; CLAPP on CIFAR sees patches of 8 (a grid
of 7 x 7, as its patches of 16 give on STL-10); the hinge of table 2 compares the same patches as CLAPP there (gaze
shifts), with 5 random ones against each one ahead, or 1; and table 2 has CLAPP's budget, 300 epochs in batches of 32 at
rate 2e-4 (Illing et al. 2021), since it gives none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from neurosim.errors import WiringError

OPEN, BLOCKED = "no block, all negatives", "block, 5 lags"  # the two columns of table 1
COLUMNS: dict[str, dict[str, object]] = {
    OPEN: {"block": False, "lags": "all"},
    BLOCKED: {"block": True, "lags": 5, "negative_weight": 0.2},
}
DTP: dict[str, object] = {"rule": "dtp", "network": "conv4-tanh", "match": False}
# The mean over active comparisons keeps its errors 1/(2N) small; those of a memory of lags are sums over comparisons.
TOPS: dict[str, dict[str, dict[str, object]]] = {
    "target": {OPEN: {"noise": 2.0, "target_step": 20.0}, BLOCKED: {"noise": 2.0, "target_step": 0.2}},
    "transport": {OPEN: {"noise": 1.0, "target_step": 0.5}, BLOCKED: {"noise": 1.0, "target_step": 0.2}},
}


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Args:
        name: as typed after ``--only`` and as its files are called.
        row: what learns how, in words.
        column: which column of the paper's table, in words; empty where there is one.
        options: what it asks of a `neurosim.training.config.Config`, beside the protocol.
        published: test accuracy in %, or None: no cell of the paper's.
        floor: the name of the cell that is the same network untrained; None: it is a floor itself.
    """

    name: str
    row: str
    column: str
    options: Mapping[str, object]
    published: float | None
    floor: str | None


@dataclass(frozen=True)
class Table:
    """One table: its data, its protocol, its cells.

    Args:
        name: as typed.
        encoder: the data that the encoder learns from.
        readout: the data of the read-out.
        network: of the cells that name none.
        epochs: of the encoder's training, as published.
        batch: moments in one.
        rate: of its Adam.
        cells: floors first.
    """

    name: str
    encoder: str
    readout: str
    network: str
    epochs: int
    batch: int
    rate: float
    cells: tuple[Cell, ...]

    @property
    def budgets(self) -> list[float]:
        """Minutes of training that its cells have, each once; none where cells are as long as the protocol says."""
        return sorted({float(str(cell.options["minutes"])) for cell in self.cells if "minutes" in cell.options})

    @property
    def minutes(self) -> float | None:
        """The longest of its budgets; None: it has none."""
        return max(self.budgets, default=None)

    def within(self, minutes: float) -> Table:
        """The same table, whose cells that learn have so many minutes of training each.

        Raises:
            WiringError: a budget that is none.
        """
        if not 0 < minutes < float("inf"):
            raise WiringError(f"minutes={minutes:g}", "a number above 0", "write minutes=5", "minutes")
        budget = {"minutes": minutes}
        cells = [c if c.floor is None else replace(c, options={**c.options, **budget}) for c in self.cells]
        return replace(self, cells=tuple(cells))

    def choose(self, patterns: tuple[str, ...]) -> list[Cell]:
        """The cells whose names match a pattern, and the floors they need; all without a pattern.

        Raises:
            WiringError: a pattern that matches none.
        """
        for pattern in patterns:
            if not any(fnmatchcase(cell.name, pattern) for cell in self.cells):
                raise WiringError(
                    f"only={pattern!r} of {self.name}",
                    "a cell or a pattern, as 'll-*'",
                    f"see `neurosim reproduce {self.name} --list`",
                )
        chosen = [c for c in self.cells if not patterns or any(fnmatchcase(c.name, p) for p in patterns)]
        wanted = {c.name for c in chosen} | {c.floor for c in chosen}
        return [c for c in self.cells if c.name in wanted]


def _both(
    name: str, row: str, options: dict[str, object], published: tuple[float, float], floor: str = "random"
) -> list[Cell]:
    """A row of table 1: its two columns as two cells."""
    names = {OPEN: name, BLOCKED: f"{name}-block"}
    return [
        Cell(names[column], row, column, {**options, **COLUMNS[column]}, number, floor)
        for column, number in zip(COLUMNS, published, strict=True)
    ]


def _dtp(top: str, row: str, name: str) -> list[Cell]:
    """Target propagation: the mean-over-active hinge without the block, the memory of lags with it."""
    both: dict[str, dict[str, object]] = {
        OPEN: {"loss": "hinge-mean", "block": False},
        BLOCKED: {"loss": "hinge", **COLUMNS[BLOCKED]},
    }
    numbers = {OPEN: (name, 71.29), BLOCKED: (f"{name}-block", 67.74)}
    return [
        Cell(numbers[c][0], row, c, {**DTP, "top": top, **both[c], **TOPS[top][c]}, numbers[c][1], "random-tanh")
        for c in both
    ]


def _layers(order: str, numbers: dict[str, tuple[float, float]]) -> list[Cell]:
    return [
        cell
        for feedback, published in numbers.items()
        for cell in _both(
            f"ll-{order}-{feedback}",
            f"layer-wise, {order}, {feedback}",
            {"rule": "ll", "order": order, "feedback": feedback},
            published,
        )
    ]


PATCHES: dict[str, object] = {"loss": "clapp", "patch": 8}
TABLE1 = Table(
    "table1",
    "cifar100",
    "cifar10",
    "conv5",
    400,
    500,
    1e-4,
    (
        Cell("random", "random encoder", "", {"rule": "none"}, 61.23, None),
        Cell("random-tanh", "random encoder, conv4-tanh", "", {"rule": "none", "network": "conv4-tanh"}, None, None),
        Cell("random-patches", "random encoder, grey patches of 8", "", {"rule": "none", **PATCHES}, None, None),
        *_both("bp", "end to end, bp", {"rule": "bp"}, (71.44, 70.35)),
        *_dtp("target", "end to end, dtp, learned top", "dtp"),
        *_dtp("transport", "end to end, dtp, transported top (as published)", "dtp-transport"),
        *_both("rf", "end to end, rf", {"rule": "rf"}, (61.70, 63.61)),
        *_layers("greedy", {"bp": (72.76, 71.14), "urf": (72.76, 71.14), "rf": (67.83, 66.52)}),
        *_layers("random", {"bp": (71.35, 71.17), "urf": (71.35, 71.17), "rf": (65.94, 65.49)}),
        Cell("simclr", "SimCLR, end to end, bp", "", {"rule": "bp", "loss": "simclr", "block": False}, 72.44, "random"),
        Cell("clapp", "CLAPP, end to end, bp", "", {"rule": "bp", **PATCHES}, 69.05, "random-patches"),
        Cell(
            "clapp-greedy",
            "CLAPP, layer-wise, greedy",
            "",
            {"rule": "ll", "order": "greedy", "feedback": "bp", **PATCHES},
            68.93,
            "random-patches",
        ),
    ),
)


def _gaze(name: str, row: str, options: dict[str, object], published: float, negatives: int = 5) -> Cell:
    column = f"{negatives} negative{'s' * (negatives > 1)}"
    return Cell(name, row, column, {**options, "loss": "gaze", "negatives": negatives}, published, "random")


def _shifts(order: str, numbers: dict[str, float], negatives: int = 5) -> list[Cell]:
    mark = "" if negatives > 1 else "-1"
    return [
        _gaze(
            f"ll-{order}-{feedback}{mark}",
            f"layer-wise, {order}, {feedback}",
            {"rule": "ll", "order": order, "feedback": feedback},
            number,
            negatives,
        )
        for feedback, number in numbers.items()
    ]


TABLE2 = Table(
    "table2",
    "stl10",
    "stl10",
    "vgg6",
    300,
    32,
    2e-4,
    (
        Cell("random", "random encoder", "", {"rule": "none", "loss": "gaze"}, 46.78, None),
        _gaze("bp", "end to end, bp", {"rule": "bp"}, 70.13),
        _gaze("rf", "end to end, rf", {"rule": "rf"}, 55.01),
        *_shifts("greedy", {"bp": 68.26, "urf": 68.26, "rf": 60.00}),
        *_shifts("greedy", {"bp": 68.80, "urf": 68.80, "rf": 60.50}, 1),
        *_shifts("random", {"bp": 64.61, "urf": 64.61, "rf": 55.14}),
        Cell("clapp", "CLAPP, end to end, bp", "", {"rule": "bp", "loss": "clapp"}, 71.88, "random"),
        Cell(
            "clapp-greedy",
            "CLAPP, layer-wise, greedy",
            "",
            {"rule": "ll", "order": "greedy", "feedback": "bp", "loss": "clapp"},
            68.74,
            "random",
        ),
    ),
)
TABLES = {table.name: table for table in (TABLE1, TABLE2)}
