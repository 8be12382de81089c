"""Draws docs/rooms.png (who imports whom) and docs/flow.png (what happens to the data of one batch, and of a run).

``python docs/architecture_picture.py [FOLDER]``; needs matplotlib (``pip install 'neurosim[plots]'``).
"""

from __future__ import annotations

import math
import runpy
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
# Floors from the ground up: each room may import those below it.
FLOORS = [
    ["errors", "core"],
    ["kernels", "engine"],
    ["losses", "plasticity", "data", "readout"],
    ["parts"],
    ["networks"],
    ["rules"],
    ["training"],
    ["audit", "diagnostics"],
    ["reproduce", "report"],
    ["experiment"],
    ["export", "sklearn"],
    ["cli"],
]
FRONT = ("export", "sklearn")  # `import neurosim` is all that they import
WHAT = {
    "errors": "one-line errors",
    "core": "buffers, kernels' declarations, steps, plans",
    "kernels": "the arithmetic: reference, CPU, GPU",
    "plasticity": "one file a kind",
    "engine": "how a plan runs",
    "data": "pictures and their views",
    "parts": "populations, synapses, projections, memory",
    "losses": "one file an error",
    "networks": "layers in order",
    "rules": "one file a rule",
    "readout": "how good features are",
    "training": "configuration, model, loop",
    "diagnostics": "angles, sparsity, activity",
    "audit": "is it plausible?",
    "report": "pages and tables of runs",
    "experiment": "the front door",
    "reproduce": "the paper's tables",
    "export": "models for other programs",
    "sklearn": "a step of scikit-learn",
    "cli": "parse, call, print",
}
WALL, GROUND, ARROW, ACCENT = "#fbfaf7", "#22313f", "#a9b4bd", "#c27c0e"


def rooms(path: Path) -> None:
    """Rooms on their floors; an arrow leads from a room to each room that it imports."""
    arrows = runpy.run_path(str(HERE.parent / "tests" / "arrows.py"))["arrows"](HERE.parent)
    figure, axes = plt.subplots(figsize=(12, 11.3))
    place: dict[str, tuple[float, float]] = {}
    for floor, names in enumerate(FLOORS):
        for number, name in enumerate(names):
            place[name] = (12 * (number + 1) / (len(names) + 1) + 0.7 * math.sin(2.4 * floor), floor)
    for one, other in [*arrows, *((name, "experiment") for name in FRONT)]:
        if one in place and other in place and other not in ("errors", "core"):
            bend = 0.18 if place[one][0] > place[other][0] else -0.18
            how = {"arrowstyle": "-|>", "color": ARROW, "shrinkA": 20, "shrinkB": 20, "linewidth": 0.9}
            axes.annotate("", place[other], place[one], arrowprops={**how, "connectionstyle": f"arc3,rad={bend}"})
    for name, (x, y) in place.items():
        box = {"boxstyle": "round,pad=0.45", "facecolor": WALL, "edgecolor": GROUND}
        text = f"$\\bf{{{name}}}$\n{WHAT[name]}"
        axes.text(x, y, text, ha="center", va="center", fontsize=9, color=GROUND, bbox=box, zorder=3)
    axes.set(xlim=(0, 12), ylim=(-0.6, len(FLOORS) - 0.3))
    axes.set_title("Rooms: arrows point to what is imported, downwards only (all import errors and core)", color=GROUND)
    axes.axis("off")
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


def _boxes(axes: Any, y: float, texts: list[str], colour: str = GROUND) -> list[float]:
    """Boxes in a row with arrows between them; gives where each stands."""
    xs = [1.1 + 2.45 * number for number in range(len(texts))]
    for x, text in zip(xs, texts, strict=True):
        box = {"boxstyle": "round,pad=0.5", "facecolor": WALL, "edgecolor": colour}
        axes.text(x, y, text, ha="center", va="center", fontsize=9, color=GROUND, bbox=box, zorder=3)
    for left, right in pairwise(xs):
        axes.annotate("", (right - 0.95, y), (left + 0.95, y), arrowprops={"arrowstyle": "->", "color": colour})
    return xs


def flow(path: Path) -> None:
    """Three rows: how a run comes about, what one batch does, what comes out."""
    figure, axes = plt.subplots(figsize=(13, 6))
    _boxes(
        axes,
        4,
        [
            "keywords, options\nor a TOML file",
            "Config\n(one recipe fills\nwhat is not given)",
            "Model\n(network, rule,\nplans, programs)",
            "preflight audit\nof every plan",
            "Trainer\n(the loop,\ncallbacks)",
        ],
        ACCENT,
    )
    _boxes(
        axes,
        2.3,
        [
            "ViewStream\ntwo views of\neach picture",
            "Stimulus, forward\nprojections:\nactivities",
            "error units:\nview 2 against\nthe memory",
            "feedback delivers\nerrors; gates make\npost factors",
            "synapses: outer\nproducts, then\nplasticity",
        ],
    )
    xs = _boxes(
        axes,
        0.6,
        [
            "weights, traces,\nmemory: checkpoint",
            "encode: frozen\nfeatures",
            "read-out, beside\nthe floor",
            "results.json,\nreport.html",
        ],
        ACCENT,
    )
    for y, text in ((4.75, "a run"), (3.05, "one batch: one plan, step by step"), (1.3, "what comes out")):
        axes.text(4.3, y, text, fontsize=11, color=GROUND, fontweight="bold")
    for high, low in ((3.45, 2.85), (1.75, 1.05)):  # from the end of a row to the beginning of the next
        axes.plot([10.9, 10.9, xs[0]], [high, high - 0.2, high - 0.2], color=GROUND, linewidth=1)
        axes.annotate("", (xs[0], low), (xs[0], high - 0.2), arrowprops={"arrowstyle": "->", "color": GROUND})
    axes.set(xlim=(-0.2, 12.2), ylim=(0, 5))
    axes.axis("off")
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    rooms(folder / "rooms.png")
    flow(folder / "flow.png")
