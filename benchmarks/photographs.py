"""Every rule on photographs: mean and spread over seeds, beside the floor. Keeps each finished cell, goes on after a stop.

    python benchmarks/photographs.py --data-dir DIR --out photographs.json [--seeds 3] [--images 10000] [--rules ...]

Every run has the defaults of ``neurosim train --data cifar10`` but for the rule, its order and its feedback; the table
is printed as Markdown. A layer-wise order that trains one layer at a time gets as many epochs a layer.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np

from neurosim.engine.threads import ThreadTeam
from neurosim.readout.floor import read_out
from neurosim.training.assembly import make_method
from neurosim.training.config import Config
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream, load_data
from neurosim.training.trainer import Trainer

CELLS = {
    "none": {"rule": "none"},
    "bp": {"rule": "bp"},
    "rf": {"rule": "rf"},
    "urf": {"rule": "urf"},
    "ll greedy": {"rule": "ll", "order": "greedy"},
    "ll random": {"rule": "ll", "order": "random"},
    "ll simultaneous": {"rule": "ll", "order": "simultaneous"},
}


def cell(name: str, seed: int, args) -> dict:
    """Train one rule with one seed and read every layer out."""
    config = Config.resolve(
        data="cifar10",
        data_dir=args.data_dir,
        images=args.images,
        seed=seed,
        threads=args.threads,
        epochs=args.epochs,
        **CELLS[name],
    )
    data = load_data(config)
    model = Model(config, data.image_shape)
    with ThreadTeam(config.training.threads) as team:
        progress = Trainer(model, ViewStream(model, data)).train(team)
        began = time.perf_counter()
        layers = read_out(model.encoder(), data, make_method(config), team)
    return {
        "rule": name,
        "seed": seed,
        "accuracy": layers,
        "seconds": progress.seconds,
        "images": progress.done * config.training.batch,
        "read_out_seconds": time.perf_counter() - began,
    }


def table(cells: list[dict]) -> str:
    """Markdown: top accuracy and every layer's, mean and standard deviation over seeds."""
    floor = {c["seed"]: c["accuracy"][-1] for c in cells if c["rule"] == "none"}
    rows = [
        "| rule | top, % | above the floor | layers 1 to L, % | images seen | training, s |",
        "|---|---|---|---|---|---|",
    ]
    for name in CELLS:
        mine = [c for c in cells if c["rule"] == name]
        if not mine:
            continue
        all_layers = 100 * np.array([c["accuracy"] for c in mine])
        gains = np.array([100 * (c["accuracy"][-1] - floor[c["seed"]]) for c in mine if c["seed"] in floor])
        spread = all_layers[:, -1].std(ddof=1) if len(mine) > 1 else float("nan")
        told = ", ".join(f"{value:.1f}" for value in all_layers.mean(0))
        above = (
            f"{gains.mean():+.1f} ({', '.join(f'{g:+.1f}' for g in gains)})" if len(gains) and name != "none" else ""
        )
        rows.append(
            f"| {name} | {all_layers[:, -1].mean():.1f} ± {spread:.1f} | {above} | {told} | {mine[0]['images']} | "
            f"{np.mean([c['seconds'] for c in mine]):.0f} |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--epochs", type=int, default=None)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--rules", default=",".join(CELLS))
    args = parser.parse_args()
    asked = {"images": args.images, "epochs": args.epochs, "machine": platform.processor() or platform.machine()}
    record = json.loads(args.out.read_text(encoding="utf-8")) if args.out.exists() else {"asked": asked, "cells": []}
    if record["asked"] != asked:
        parser.error(f"{args.out} was made with {record['asked']}; expected {asked}; choose another --out")
    for seed in range(args.seeds):
        for name in args.rules.split(","):
            if any(c["rule"] == name and c["seed"] == seed for c in record["cells"]):
                continue
            record["cells"].append(cell(name, seed, args))
            args.out.write_text(json.dumps(record, indent=1), encoding="utf-8")
            done = record["cells"][-1]
            print(f"seed {seed} {name}: {100 * done['accuracy'][-1]:.2f} after {done['seconds']:.0f} s", flush=True)
    print(table(record["cells"]))


if __name__ == "__main__":
    main()
