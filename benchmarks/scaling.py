"""What a training step costs as its batch and its network grow, and what a run holds as it goes on; a line through each.

    python -m neurosim.bench.scaling --out scaling.json --figure docs/scaling.png

Time should grow in proportion to the pairs of a batch and to the layers of a network, and memory not at all with the images
that were seen. A line is fitted to each by least squares. The hinge remembers 5 lags and only view 2 learns (the gradient
block). Were every moment compared with every other one of its batch (``neurosim train --lags all``), the hinge, and nothing
else, would be quadratic in the pairs: with 250 of them half a hundredth of a step.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import click
import numpy as np
from neurosim.bench.sides import Ours, images_for
from neurosim.bench.turns import alone, alternate, busy_seconds, check_place, this_machine
from neurosim.cli.main import main

from neurosim.core.writing import write_whole
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.report import figures
from neurosim.training.folder import write_json

RULES = ("bp", "ll-simultaneous")
OPTIONS = {"lags": 5, "feedback": "urf", "plasticity": "adam"}
BATCHES = 10  # of an epoch of the runs whose memory is measured
CHECKPOINT_EVERY = 1.0  # seconds, in those runs: a copy that stays would show
SUFFIXES = (".png", ".svg", ".pdf")


class Sizes(click.ParamType):
    """Whole numbers with commas between, rising, three at least: two would always lie on a line."""

    name = "N1,N2,N3,..."

    def __init__(self, least: int):
        self.least = least

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        parts = value.split(",")
        sizes = tuple(int(part) for part in parts if part.isdecimal())
        if len(sizes) != len(parts) or len(sizes) < 3 or sizes[0] < self.least or sizes != tuple(sorted(set(sizes))):
            self.fail(
                f"{value!r}; expected three or more rising whole numbers from {self.least} up, with commas between",
                param,
                ctx,
            )
        return sizes


def line(sizes, measured) -> dict[str, float | None]:
    """The line of least squares: slope, start, R^2 (None of what is the same everywhere), largest distance from it.

    Args:
        sizes: of each measurement. measured: as many numbers above 0; the distance is a share of them.
    """
    x, y = np.array(sizes, float), np.array(measured, float)
    slope, start = np.polyfit(x, y, 1)
    apart, spread = y - (slope * x + start), np.sum((y - y.mean()) ** 2)
    return {
        "slope": float(slope),
        "start": float(start),
        "largest distance": float(np.max(np.abs(apart) / y)),
        "R2": float(1 - np.sum(apart**2) / spread) if spread else None,
    }


def curve(sizes, sides: dict, repeats: int) -> dict:
    """Sides of growing size, turn by turn: medians of the seconds of a step, of the wall and of processors, and their lines."""
    phases, processor = alternate(sides, repeats)
    wall = [statistics.median(statistics.mean(turn) for turn in phases[name]) for name in sides]
    used = [statistics.median(processor[name]) for name in sides]
    return {
        "sizes": list(sizes),
        "wall": wall,
        "processor": used,
        "line": line(sizes, wall),
        "line of processor": line(sizes, used),
        "turns": list(phases.values()),
    }


def by_pairs(rule: str, sizes, repeats: int, team: ThreadTeam) -> dict:
    """Steps of conv5, deformation included, on more and more pairs."""
    return curve(sizes, {n: Ours(rule, images_for(n), team, deformed=True, **OPTIONS) for n in sizes}, repeats)


def by_layers(rule: str, sizes, repeats: int, team: ThreadTeam, pairs: int) -> dict:
    """Steps of networks of more and more equal layers, 32 channels of 16 x 16, above a pooled stem."""
    images = images_for(pairs)
    networks = {n: ", ".join(["32 pool", *["32 hardtanh"] * n]) for n in sizes}
    sides = {n: Ours(rule, images, team, deformed=True, network=text, **OPTIONS) for n, text in networks.items()}
    return curve(sizes, sides, repeats)


def by_epochs(sizes, threads: int, pairs: int) -> dict:
    """Peak memory of training runs that see more and more images, each in a process of its own; a size is images seen."""
    found = []
    for epochs in sizes:
        options = {"data": "random.npz", "network": "conv5", "batch": pairs, "epochs": epochs, "threads": threads}
        found.append(
            alone(
                {
                    "name": "training",
                    "images": BATCHES * pairs,
                    "options": options,
                    "checkpoint_every": CHECKPOINT_EVERY,
                }
            )
        )
    before, peak = map(list, zip(*found, strict=True))
    seen = [BATCHES * pairs * epochs for epochs in sizes]
    return {"sizes": seen, "MiB before any data": before, "MiB at the peak": peak, "line": line(seen, peak)}


def told(fitted: dict, times: float, unit: str) -> str:
    """A fitted line in words."""
    share = "" if fitted["R2"] is None else f", R^2 {fitted['R2']:.4f}"
    return f"{times * fitted['slope']:.3g} {unit}{share}"


def told_memory(found: dict) -> str:
    """Peak memory in words: of a level line R^2 says nothing."""
    peaks = found["MiB at the peak"]
    return f"{2**20 * found['line']['slope']:+.0f} bytes an image; {min(peaks):.1f} to {max(peaks):.1f} MiB"


def print_curve(name: str, found: dict, unit: str) -> None:
    """What one curve measured, wall beside processor milliseconds, and both lines."""
    click.echo(
        f"  {name}: "
        + "  ".join(
            f"{size}: {1e3 * wall:.1f} ({1e3 * used:.1f})"
            for size, wall, used in zip(found["sizes"], found["wall"], found["processor"], strict=True)
        )
    )
    for kind, what in (("line", "wall"), ("line of processor", "processor")):
        click.echo(
            f"    {what}: {told(found[kind], 1e3, unit)}, start {1e3 * found[kind]['start']:.1f} ms, "
            f"at most {found[kind]['largest distance']:.1%} from the line"
        )


def draw(record: dict, path: Path) -> None:
    """Three panels: time by pairs, time by layers, memory by images seen; dots are medians, lines are fitted."""
    figure, axes = figures.blank(3, 12)
    colours = dict(zip(RULES, (figures.BLUE, figures.GREEN), strict=True))
    for panel, (key, what, unit) in zip(
        axes,
        (("pairs", "pairs a batch (conv5)", "ms a pair"), ("layers", "equal layers above a stem", "ms a layer")),
        strict=False,
    ):
        for rule, colour in colours.items():
            found = record[key][rule]
            _dots(
                panel,
                found["sizes"],
                1e3 * np.array(found["wall"]),
                colour,
                f"{rule}: {told(found['line'], 1e3, unit)}",
            )
        panel.set(xlabel=what, title="ms of a training step")
    found, last = record["epochs"], axes[-1]
    _dots(last, found["sizes"], found["MiB at the peak"], figures.BLUE, told_memory(found))
    last.plot(found["sizes"], found["MiB before any data"], color=figures.GREY, linestyle=":", label="before any data")
    last.set(xlabel="images seen in a run (conv5)", title="MiB at the peak")
    for panel in axes:
        panel.set_xlim(left=0)
        panel.set_ylim(bottom=0)
        panel.legend(fontsize=8, frameon=False, loc="center" if panel is last else "lower right")
    figure.suptitle(
        f"{record['machine']}, threads: {record['threads']}, NumPy {record['numpy']}, {record['date']}", fontsize=8
    )
    write_whole(path, lambda file: figure.savefig(file, format=path.suffix[1:].lower(), dpi=110))


def _dots(panel, x, y, colour, label):
    slope, start = np.polyfit(x, y, 1)
    panel.plot(x, y, color=colour, linestyle="", marker="o", markersize=4)
    panel.plot([0, x[-1]], [start, start + slope * x[-1]], color=colour, linewidth=1, label=label)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--pairs", type=Sizes(2), default="25,50,100,200,400", show_default=True, help="Of a batch of conv5.")
@click.option(
    "--layers", type=Sizes(1), default="2,3,4,6,8", show_default=True, help="Of 32 channels, above a pooled stem."
)
@click.option(
    "--epochs",
    type=Sizes(1),
    default="1,2,4,8",
    show_default=True,
    help=f"Of {BATCHES} batches, in runs whose memory is measured.",
)
@click.option(
    "--batch", type=click.IntRange(min=2), default=50, show_default=True, help="Pairs where layers or epochs grow."
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--repeats", type=click.IntRange(min=1), default=5, show_default=True, help="Timed turns.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write everything measured as JSON.")
@click.option("--figure", type=click.Path(dir_okay=False, path_type=Path), help="Draw it: .png, .svg or .pdf.")
def scaling(pairs, layers, epochs, batch, threads, repeats, out, figure):
    """Measure how a training step and the memory of a run grow, and fit lines."""
    _refuse(out, figure)
    record = {**this_machine(threads), "repeats": repeats, "batch": batch, **OPTIONS, "pairs": {}, "layers": {}}
    began, start = busy_seconds(), time.perf_counter()
    with ThreadTeam(threads) as team:
        click.echo(
            "ms of a step by pairs, processor ms in brackets (conv5, 5 lags and the gradient block: no part is quadratic)"
        )
        for rule in RULES:
            record["pairs"][rule] = by_pairs(rule, pairs, repeats, team)
            print_curve(rule, record["pairs"][rule], "ms a pair")
        click.echo(f"ms of a step by layers of 32 channels above a pooled stem ({batch} pairs)")
        for rule in RULES:
            record["layers"][rule] = by_layers(rule, layers, repeats, team, batch)
            print_curve(rule, record["layers"][rule], "ms a layer")
    if began:
        wall, ended = time.perf_counter() - start, busy_seconds()
        record["others"] = max(0.0, ended[0] - began[0] - (ended[1] - began[1])) / wall / os.cpu_count()
        click.echo(f"other processes used {record['others']:.0%} of the machine meanwhile")
    found = record["epochs"] = by_epochs(epochs, threads, batch)
    click.echo(f"MiB at the peak by images seen (conv5, ll, batches of {batch}, each run a process of its own)")
    click.echo(
        "  " + "  ".join(f"{n}: {peak:.1f}" for n, peak in zip(found["sizes"], found["MiB at the peak"], strict=True))
    )
    click.echo(f"    {told_memory(found)}")
    if out:
        write_json(out, record)
    if figure:
        draw(record, figure)


def _refuse(out: Path | None, figure: Path | None) -> None:
    check_place(out)
    check_place(figure, "--figure")
    if figure and figure.suffix.lower() not in SUFFIXES:
        raise WiringError(f"--figure {figure}", "a name that ends in " + ", ".join(SUFFIXES), "change it")
    if figure and not figures.can_plot():
        raise WiringError(
            "matplotlib is not installed",
            "it, to draw with",
            "run `pip install 'neurosim[plots]'`, or leave --figure out",
        )


if __name__ == "__main__":
    main(command=scaling, name="python -m neurosim.bench.scaling")
