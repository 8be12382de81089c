"""What learns best: settings compared on held-out training images, over lengths and seeds. Goes on after a stop.

    python -m neurosim.bench.held_out --data-dir DIR --out FOLDER --arms signum,ladder,adam --lengths 10000,25000 --seeds 0,1,2

CIFAR-10, conv5. The last 5,000 *training* images are held out and judged; test images are never read. The network learns from
at most 25,000 of the others, as often as a length asks for; the read-out sees 10,000 labels of the first 40,000. An arm is a
setting by its name (`ARMS`), perhaps with other options: ``ladder:rate=0.2:lags=5``. A finished cell is a file; a cell that
was stopped goes on from its checkpoint. The table is Markdown: gains over the same network untrained, points.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.data.dataset import Dataset
from neurosim.engine.threads import ThreadTeam
from neurosim.experiment import Experiment
from neurosim.readout.floor import read_out
from neurosim.training.assembly import make_method
from neurosim.training.config import Config
from neurosim.training.stream import load_data

KEPT, LABELLED, MOST = 45_000, 40_000, 25_000  # images that are not held out, that may be labelled, that one epoch has
SHARED = {"network": "conv5", "batch": 50, "readout_images": 10_000}
SHORT = {"layer_rates": "0.3, 1, 1.5..., 0", "head_rate": 1.7, "feedback_gain": 0.1, "lags": 20, "negative_weight": 1.0}
PLAIN = {"layer_rates": "1...", "head_rate": 1.0, "feedback_gain": 1.0, "lags": 20, "negative_weight": 1.0}
OPEN = {**PLAIN, "lags": "all", "block": False}
OPEN.pop("negative_weight")
ARMS: dict[str, dict[str, Any]] = {
    "signum": {**SHORT, "plasticity": "signum", "rate": 0.03},
    "ladder": {**SHORT, "plasticity": "ladder", "rate": 0.1},
    "adam": {**SHORT, "layer_rates": "1, 1, 1..., 0", "head_rate": 1.0, "plasticity": "adam", "rate": 0.004},
    # Rates of these two are guesses: neither has been run yet.
    "momentum": {**SHORT, "plasticity": "momentum", "rate": 1e-6},
    "sgd": {**SHORT, "plasticity": "sgd", "rate": 1e-5},
    # One change at a time.
    "ladder-bp": {**SHORT, "plasticity": "ladder", "rate": 0.1, "feedback": "bp"},
    "ladder-5": {**SHORT, "plasticity": "ladder", "rate": 0.1, "lags": 5},
    "ladder-100": {**SHORT, "plasticity": "ladder", "rate": 0.1, "lags": 100},
    "ladder-free": {**SHORT, "plasticity": "ladder", "rate": 0.1, "block": False},
    "ladder-plain": {**PLAIN, "plasticity": "ladder", "rate": 0.1},
    "ladder-top": {**SHORT, "plasticity": "ladder", "rate": 0.1, "layer_rates": "0.3, 1, 1.5..., 1"},
    "ladder-share": {**SHORT, "plasticity": "ladder", "rate": 0.1, "deform_share": 0.5},
    "ladder-unit": {**SHORT, "plasticity": "ladder", "rate": 0.1, "pixels": "unit"},
    "ladder-all": {**OPEN, "plasticity": "ladder", "rate": 0.1},
    "adam-plain": {**PLAIN, "plasticity": "adam", "rate": 0.001},
    "adam-all": {**OPEN, "plasticity": "adam", "rate": 0.001},
    "adam-all-bp": {**OPEN, "plasticity": "adam", "rate": 0.001, "feedback": "bp"},
    # Other rules, with the defaults of the command line.
    "bp": {"rule": "bp"},
    "urf": {"rule": "urf"},
    "rf": {"rule": "rf"},
    "dfa": {"rule": "dfa"},
    "bp-labels": {"rule": "bp", "loss": "supervised"},
}


def options(arm: str) -> dict[str, Any]:
    """What an arm asks for: ``ladder:rate=0.2`` is `ARMS`'s ladder with another rate."""
    name, *changes = arm.split(":")
    if name not in ARMS:
        raise SystemExit(f"error: unknown arm {name!r}; expected one of {', '.join(ARMS)}")
    found = {"rule": "ll", **SHARED, **ARMS[name]}
    for change in changes:
        word, _, value = change.partition("=")
        try:
            found[word] = json.loads(value)
        except ValueError:
            found[word] = value
    return found


def parts(data: Dataset, length: int) -> Dataset:
    """The training images alone, the last of them in the place of the test images."""
    images, labels, count = data.train_images, data.train_labels, min(length, MOST)
    assert labels is not None
    return dataclasses.replace(
        data,
        train_images=images[:count],
        train_labels=labels[:count],
        readout_images=images[:LABELLED],
        readout_labels=labels[:LABELLED],
        test_images=images[KEPT:],
        test_labels=labels[KEPT:],
    )


def cell(arm: str, length: int, seed: int, data: Dataset, asked: argparse.Namespace) -> dict[str, Any]:
    """Train one arm with one seed, or go on with it, and read every layer out."""
    name = f"{arm.replace(':', '-').replace('=', '')}-{length}-seed{seed}"
    path, folder = asked.out / f"{name}.json", asked.out / "runs" / name
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    mine = parts(data, length)
    epochs = max(1, round(length / len(mine.train_images)))
    if (folder / "checkpoint.npz").exists():
        experiment = Experiment.load(
            folder, data=mine, threads=asked.threads, trust=map(str, options(arm).values())
        ).fit(checkpoint_every=60)
    else:
        given = {"data": mine, "epochs": epochs, "seed": seed, "threads": asked.threads}
        experiment = Experiment(**given, **options(arm)).fit(out=folder, checkpoint_every=60)
    method = make_method(experiment.config)
    with ThreadTeam(asked.threads) as team:
        layers = read_out(experiment.model.encoder(), mine, method, team)
        floor = untrained(experiment, mine, method, team, asked.out / "floors")
    record = {
        "arm": arm,
        "length": length,
        "seed": seed,
        "accuracy": layers,
        "floor": floor,
        "seconds": experiment.progress.seconds,
        "config": experiment.config.flat(),
    }
    path.write_text(json.dumps(record, indent=1, default=str), encoding="utf-8")
    return record


def untrained(experiment: Experiment, data: Dataset, method: Any, team: ThreadTeam, folder: Path) -> list[float]:
    """The floor of a seed, kept: it is the same for every arm with the same pixels."""
    config = experiment.config
    folder.mkdir(exist_ok=True)
    path = folder / f"{config.training.seed}-{config.views.pixels}-{config.readout.images}.json"
    if not path.exists():
        path.write_text(
            json.dumps(read_out(experiment.model.encoder(untrained=True), data, method, team)), encoding="utf-8"
        )
    found: list[float] = json.loads(path.read_text(encoding="utf-8"))
    return found


def table(cells: list[dict[str, Any]]) -> str:
    """Markdown: of every arm and length the gains over the floor, mean over seeds, the top's of each seed beside it."""
    rows = [
        "| arm | pairs | top over floor | each seed | layers 1 to L over floor | s |",
        "|---|---:|---:|---|---|---:|",
    ]
    for arm, length in dict.fromkeys((c["arm"], c["length"]) for c in cells):
        mine = [c for c in cells if (c["arm"], c["length"]) == (arm, length)]
        gains = 100 * np.array([np.subtract(c["accuracy"], c["floor"]) for c in mine])
        layers, seeds = (", ".join(f"{gain:+.1f}" for gain in each) for each in (gains.mean(axis=0), gains[:, -1]))
        seconds = np.mean([c["seconds"] for c in mine])
        rows.append(f"| {arm} | {length:,} | {gains[:, -1].mean():+.1f} | {seeds} | {layers} | {seconds:.0f} |")
    return "\n".join(rows)


def numbers(text: str) -> list[int]:
    """Whole numbers with commas between them."""
    return [int(word) for word in text.split(",")]


def main() -> None:
    """Run every cell that is not there yet, a seed after the other, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arms", default="signum,ladder,adam", help=f"of {', '.join(ARMS)}")
    parser.add_argument("--lengths", type=numbers, default=[10_000, 25_000], help="pairs of views")
    parser.add_argument("--seeds", type=numbers, default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    (asked.out / "runs").mkdir(parents=True, exist_ok=True)
    data = load_data(Config.resolve(data="cifar10", data_dir=asked.data_dir))
    arms = asked.arms.split(",")
    for arm in arms:
        options(arm)
    cells = []
    for seed in asked.seeds:
        for length in asked.lengths:
            for arm in arms:
                cells.append(cell(arm, length, seed, data, asked))
                done, floor = cells[-1]["accuracy"], cells[-1]["floor"]
                gains = ", ".join(f"{100 * (a - b):+.1f}" for a, b in zip(done, floor, strict=True))
                print(f"{time.strftime('%H:%M')} {arm} {length} seed {seed}: {gains}", flush=True)
    order = {arm: number for number, arm in enumerate(arms)}
    print(table(sorted(cells, key=lambda c: (c["length"], order[c["arm"]]))))


if __name__ == "__main__":
    main()
