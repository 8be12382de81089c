"""What competition learns, beside its controls: the same network with random weights, imprinted ones, and K-means' centres.

    python -m neurosim.bench.competition --data-dir DIR [--seeds 0,1] [--labels 10000,50000] [--held-out] [OPTION=VALUE ...]

The network, its first stage, its nonlinearity and its read-out are the same; only the weights of the layers differ:

- learned: `neurosim train --rule hebb --data cifar10` with the options given here;
- random: as they are drawn, the floor;
- imprinted: every unit is one patch of what its layer sees, seen once, drawn at random;
- kmeans: centres of scikit-learn's MiniBatchKMeans (`pip install 'neurosim[controls]'`), of so many patches.

A mean of many patches is shorter than one patch, and where units saturate the length of their weights counts. With ``--match``
every control's weights have, layer by layer, the mean length of the learned ones; without it they are as they come.

Read out are every layer by itself and all together, with ``--readout lbfgs,ridge`` in both ways. ``--held-out`` asks the last
5,000 training images, on which settings may be chosen; without it, the test images.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import time
from collections.abc import Callable

import numpy as np

import neurosim as ns
from neurosim.engine.threads import ThreadTeam
from neurosim.readout.floor import Method
from neurosim.training.config import Config
from neurosim.training.stream import load_data

PATCHES = 60000  # of which K-means' centres are made
SHOWN = 512  # pictures whose patches they are


def main() -> None:
    """All seeds, one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--labels", default="10000", help="numbers of them: features are computed once")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rule", default="hebb")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--readout", default="ridge", help="ways to read out: lbfgs,ridge")
    parser.add_argument("--kmeans", action="store_true")
    parser.add_argument("--match", action="store_true", help="controls' weights as long as the learned ones")
    parser.add_argument("--only", default="learned,random,imprinted", help="which weights")
    parser.add_argument("options", nargs="*", help="of the experiment: network=..., epochs=1")
    asked = parser.parse_args()
    wanted = asked.only.split(",") + ["kmeans"] * asked.kmeans
    for seed in map(int, asked.seeds.split(",")):
        for name, found in cells(asked, seed, wanted):
            print(json.dumps({"seed": seed, "weights": name, **found}), flush=True)


def cells(asked: argparse.Namespace, seed: int, wanted: list[str]):
    """Yield what weights they are and what was found."""
    options = dict(option.split("=", 1) for option in asked.options)
    given = {name: number(value) for name, value in options.items()}
    experiment = ns.Experiment(
        rule=asked.rule, data="cifar10", data_dir=asked.data_dir, seed=seed, threads=asked.threads, **given
    )
    began, busy = time.perf_counter(), time.process_time()
    if "learned" in wanted:
        experiment.fit()
    spent = {"seconds": round(time.perf_counter() - began, 1), "processor": round(time.process_time() - busy, 1)}
    rng = np.random.default_rng(seed)
    long = lengths(experiment.model.encoder()) if asked.match and "learned" in wanted else None
    make: dict[str, Callable] = {
        "learned": lambda: experiment.model.encoder(),
        "random": lambda: stretched(experiment.model.encoder(untrained=True), long),
        "imprinted": lambda: filled(
            experiment, lambda seen, units: seen[rng.choice(len(seen), units, False)], rng, long
        ),
        "kmeans": lambda: filled(experiment, lambda seen, units: centres(seen, units, seed), rng, long),
    }
    for name in wanted:
        yield name, {**(spent if name == "learned" else {}), **accuracies(make[name](), asked, seed)}


def number(value: str) -> object:
    """A whole number, a number or a word."""
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def lengths(encoder) -> list[float]:
    """Of the weights of a unit, its mean over the units of every layer."""
    arrays = [projection.synapse.weight.host() for projection in encoder.network.projections]
    return [float(np.sqrt(np.square(array).sum(axis=(0, 1, 2))).mean()) for array in arrays]


def stretched(encoder, wanted: list[float] | None, layers: slice = slice(None)):
    """The same encoder, whose weights have these mean lengths; None: as they are."""
    pairs = list(zip(wanted, lengths(encoder), strict=True)) if wanted else []
    for projection, (long, short) in zip(encoder.network.projections[layers], pairs[layers], strict=bool(wanted)):
        for synapse in projection.synapses:
            synapse.weight.put(synapse.weight.host() * (long / short))
    return encoder


def filled(experiment: ns.Experiment, choose: Callable, rng: np.random.Generator, wanted: list[float] | None = None):
    """An encoder whose layers, from the bottom, have weights chosen from what each layer sees of training images.

    Args:
        experiment: whose network and images they are.
        choose: called with patches, ``(patch, input)``, and how many units there are.
        rng: for the choice of images and places.
        wanted: mean lengths of the weights of every layer; None: as they were chosen.
    """
    encoder = experiment.model.encoder(untrained=True)
    images = experiment.data.train_images
    shown = images[rng.choice(len(images), SHOWN, False)]
    length = experiment.config.rule.options.get("length", 1.0)
    oja = experiment.config.rule.options.get("competition") == "oja"
    for number, projection in enumerate(encoder.network.projections):
        seen = patches(encoder, shown, number, projection.synapse.shape[0], rng)
        if projection.interneurons is not None:
            seen = seen - seen.mean(axis=1, keepdims=True)
        weights = choose(seen, projection.synapse.shape[-1])
        if oja:
            weights = weights / (np.linalg.norm(weights, axis=1, keepdims=True) + 1e-9)
        projection.synapse.weight.put((length * weights.T).reshape(projection.synapse.shape))
        if projection.interneurons is not None:
            own = projection.synapse.weight.host().sum(axis=(0, 1, 2)) * projection.interneurons.scale
            projection.interneurons.synapse.weight.put(own)
        stretched(encoder, wanted, slice(number, number + 1))
    return encoder


def patches(encoder, images, below: int, side: int, rng: np.random.Generator) -> np.ndarray:
    """Fields of a layer's units at random places, ``(patch, input)``: of the activity of the layer below."""
    found = []
    count = -(-PATCHES // (-(-len(images) // encoder.pictures)))
    with ThreadTeam(1) as team:
        for start in range(0, len(images), encoder.pictures):
            encoder.features(images[start : start + encoder.pictures], team, [])
            activity = encoder.network.populations[below].activity.array
            pad = np.pad(activity, ((0, 0), ((side - 1) // 2, side // 2), ((side - 1) // 2, side // 2), (0, 0)))
            seen = np.lib.stride_tricks.sliding_window_view(pad, (side, side), (1, 2))
            at = [rng.integers(0, size, count) for size in seen.shape[:3]]
            found.append(seen[tuple(at)].transpose(0, 2, 3, 1).reshape(count, -1))
    return np.concatenate(found)


def centres(seen: np.ndarray, units: int, seed: int) -> np.ndarray:
    """K-means, as scikit-learn does it."""
    from sklearn.cluster import MiniBatchKMeans

    kmeans = MiniBatchKMeans(units, random_state=seed, batch_size=2048, n_init=1, max_iter=10).fit(seen)
    return kmeans.cluster_centers_


@functools.cache
def loaded(folder: str):
    """CIFAR-10, read once."""
    return load_data(Config.resolve(data="cifar10", data_dir=folder))


def accuracies(encoder, asked: argparse.Namespace, seed: int) -> dict:
    """In %, of every layer and of all together; and how long encoding and reading out took."""
    data = loaded(asked.data_dir)
    rng, count = np.random.default_rng([seed, 1]), len(data.train_images)
    learn, counts = count - 5000 if asked.held_out else count, sorted(map(int, asked.labels.split(",")))
    chosen = rng.permutation(learn)[: counts[-1]]
    images, labels = (
        (data.train_images[learn:], data.train_labels[learn:])
        if asked.held_out
        else (data.test_images, data.test_labels)
    )
    began, found = time.perf_counter(), {}
    with ThreadTeam(asked.threads) as team:
        known, asking = encoder.features(data.train_images[chosen], team), encoder.features(images, team)
        layers = {f"layer {number}": (a, b) for number, (a, b) in enumerate(zip(known, asking, strict=True), 1)}
        if len(layers) > 1:
            layers["together"] = np.concatenate(known, axis=1), np.concatenate(asking, axis=1)
        for count, (name, (a, b)), way in itertools.product(counts, layers.items(), asked.readout.split(",")):
            read = Method(way, seed=seed).fit(a[:count], data.train_labels[chosen[:count]], 10, team)
            found[f"{name}, {count} labels, {way}"] = round(100 * read.accuracy(b, labels, team), 2)
    return {**found, "read_out": round(time.perf_counter() - began)}


if __name__ == "__main__":
    main()
