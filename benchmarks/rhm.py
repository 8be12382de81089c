"""Accuracy against the number of samples on the Random Hierarchy Model, rule by rule: ``python -m neurosim.bench.rhm``.

Every rule sees as many trees as the read-out sees labels, for as many batches, whatever their number: what differs is the
information. A linear read-out of every layer is fitted to the labels of these trees and tested on 2048 others; the best layer is
shown, of the untrained network (floor) too. Settings are the recipe's, the same for all but target propagation, whose network is of
tanh units. The recipe's pixels and redrawn levels were chosen in short runs of ll and bp on the same test trees.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import neurosim as ns
from neurosim.engine.threads import ThreadTeam
from neurosim.readout.floor import Method, read_out

# Name -> what is asked for.
RULES: dict[str, dict[str, Any]] = {
    "supervised bp": {"rule": "bp", "loss": "supervised"},
    "bp": {"rule": "bp"},
    "ll": {"rule": "ll"},
    "dtp": {"rule": "dtp"},
    "urf": {"rule": "urf"},
    "dfa": {"rule": "dfa"},
    "floor": {"rule": "none"},
}
# Name -> its colour and line in the picture: labels dotted, errors from the top solid or dashed, no learning grey.
LINES = {
    "supervised bp": ("#17202a", ":"),
    "bp": ("#c0392b", "-"),
    "ll": ("#2471a3", "-"),
    "dtp": ("#1e8449", "-"),
    "urf": ("#d68910", "--"),
    "dfa": ("#7d3c98", "--"),
    "floor": ("#999999", "-"),
}
SAMPLES = (256, 1024, 4096)
BATCH = 64


class Row(NamedTuple):
    """One network: rule, number of trees, seed, share right of a read-out of every layer, and seconds."""

    rule: str
    samples: int
    seed: int
    layers: list[float]
    seconds: float

    @property
    def best(self) -> float:
        """Share right of the best layer."""
        return max(self.layers)


def run(rules: Sequence[str], samples: Sequence[int], seeds: Sequence[int], batches: int, **more: Any) -> Iterator[Row]:
    """Train and read out, one network after another.

    Args:
        rules: names of `RULES`.
        samples: numbers of trees.
        seeds: of weights and order, and of the grammar.
        batches: that each is trained for; whole epochs, so it may be a few more.
        **more: options of all.
    """
    for seed in seeds:
        for count in samples:
            for name in rules:
                began = time.perf_counter()
                yield Row(name, count, seed, _one(RULES[name], count, seed, batches, more), time.perf_counter() - began)


def _one(asked: dict[str, Any], count: int, seed: int, batches: int, more: dict[str, Any]) -> list[float]:
    epochs = 1 if asked["rule"] == "none" else math.ceil(batches / (count // BATCH))
    given = {"batch": BATCH, "threads": 1, **asked, **more}
    experiment = ns.Experiment(data="rhm", images=count, epochs=epochs, seed=seed, grammar=seed, **given)
    experiment.fit()
    with ThreadTeam(1) as team:
        return read_out(experiment.model.encoder(), experiment.data, Method("lbfgs", count, seed), team)


def table(rows: Sequence[Row]) -> str:
    """Rules by numbers of trees, in Markdown: the mean over seeds of the best layer, its range, and which layer it is."""
    samples = sorted({row.samples for row in rows})
    lines = [
        "| rule | " + " | ".join(f"{count:,} trees" for count in samples) + " |",
        "|---" * (1 + len(samples)) + "|",
    ]
    for name in dict.fromkeys(row.rule for row in rows):
        cells = []
        for count in samples:
            mine = [row for row in rows if (row.rule, row.samples) == (name, count)]
            mean = np.mean([row.layers for row in mine], axis=0)
            low, high = (100 * choose(row.best for row in mine) for choose in (min, max))
            each = ", ".join(f"{100 * share:.0f}" for share in mean)
            cells.append(f"{100 * np.mean([row.best for row in mine]):.1f} ({low:.1f} to {high:.1f}; layers {each})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(rows: Sequence[Row], path: Path) -> None:
    """The best layer against the number of trees, a line a rule: the mean of the seeds, bars from the lowest to the highest.

    Args:
        rows: that were read out.
        path: of the picture, by its ending.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, (name, (colour, style)) in enumerate(LINES.items()):
        mine = [row for row in rows if row.rule == name]
        samples = sorted({row.samples for row in mine})
        each = [[100 * row.best for row in mine if row.samples == count] for count in samples]
        if not each:
            continue
        means = np.array([np.mean(some) for some in each])
        spread = [means - [min(some) for some in each], [max(some) for some in each] - means]
        beside = [count * 1.02 ** (number - len(LINES) // 2) for count in samples]  # bars lie side by side
        axes.errorbar(beside, means, yerr=spread, label=name, color=colour, linestyle=style, marker=".", capsize=3)
    counts = sorted({row.samples for row in rows})
    axes.set(xscale="log", xticks=counts, xticklabels=[f"{count:,}" for count in counts])
    axes.set(xlabel="trees (and labels of the read-out)", ylabel="best layer, % of 2,048 other trees")
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    figure.savefig(path, dpi=150)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line a network, then the table; keep both."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--rules", default=",".join(RULES), help="names with commas between")
    parser.add_argument("--samples", default=",".join(map(str, SAMPLES)), help="numbers of trees")
    parser.add_argument("--seeds", type=int, default=2, help="how many")
    parser.add_argument("--first-seed", type=int, default=1, help="the recipe was chosen with seed 0")
    parser.add_argument("--batches", type=int, default=640, help="of 64 pairs, that each network is trained for")
    parser.add_argument("--out", type=Path, help="a JSON file of every row")
    parser.add_argument("--figure", type=Path, help="a picture, of .png or .svg")
    parser.add_argument(
        "--again", type=Path, help="a JSON file that --out wrote: its table and picture, nothing is trained"
    )
    asked = parser.parse_args(arguments)
    rules = asked.rules.split(",")
    if not set(rules) <= set(RULES):
        parser.error(f"no rule {', '.join(sorted(set(rules) - set(RULES)))}; expected some of {', '.join(RULES)}")
    rows = [] if asked.again is None else [Row(**each) for each in json.loads(asked.again.read_text("utf-8"))]
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    for row in [] if rows else run(rules, list(map(int, asked.samples.split(","))), seeds, asked.batches):
        rows.append(row)
        shares = ", ".join(f"{100 * share:.1f}" for share in row.layers)
        print(
            f"{row.rule:14} {row.samples:5} trees, seed {row.seed}: layers {shares} %, {row.seconds:.0f} s", flush=True
        )
        if asked.out is not None:
            asked.out.write_text(json.dumps([each._asdict() for each in rows], indent=1) + "\n", encoding="utf-8")
    if asked.figure is not None:
        draw(rows, asked.figure)
    print(table(rows))


if __name__ == "__main__":
    main()
