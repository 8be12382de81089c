"""How good the features are: a read-out of every layer, beside the same for the untrained network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurosim.data.dataset import Dataset
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError
from neurosim.kernels.devices import backend
from neurosim.readout import hinge, logistic, neighbours
from neurosim.readout.features import Encoder
from neurosim.training.config import Config
from neurosim.training.session import CENTRED, make_dtype, make_framing

READ_OUTS = {"lbfgs": "linear", "adam": "linear", "hinge": "hinge", "knn": "nearest-neighbour"}  # in words


def labelled(data: Dataset, images: int, seed: int) -> np.ndarray:
    """Which labelled images the read-out may see: ``images`` of them, drawn by the seed, or all."""
    order = np.random.default_rng([seed, ord("R")]).permutation(len(data.labelled[0]))
    return np.sort(order[:images])


def read_out(
    config: Config, data: Dataset, weights: dict | None, team: ThreadTeam, tell: Callable[[str], None] = lambda line: None,
    only_top: bool = False,
) -> list[float]:  # fmt: skip
    """Test accuracy of a read-out of each layer, layer 1 first, 0..1.

    Args:
        config: of the run; its ``readout``, ``readout_images`` and ``seed`` count here.
        data: with labels.
        weights: forward weights by name; None for the untrained network of the seed (the floor).
        team: who computes.
        tell: called with a line as work goes on.
        only_top: read the top layer out alone, in a fraction of the time.

    Raises:
        DataError: no labels or no test images.
    """
    if data.labelled is None:
        raise DataError(f"{data.name} has no labels for a read-out", "training and test images with labels",
                        "add labels, or read the features out elsewhere")  # fmt: skip
    encoder = Encoder(config.network, data.image_shape, weights, seed=config.seed, framing=make_framing(config),
                      dtype=make_dtype(config), kernels=backend(config.device, config.precision), **CENTRED)  # fmt: skip
    chosen = labelled(data, config.readout_images, config.seed)
    images, labels = data.labelled
    train = encoder.features(images[chosen], team)
    test = encoder.features(data.test_images, team)
    accuracies = []
    for number, (seen, unseen) in list(enumerate(zip(train, test, strict=True), 1))[-1 if only_top else 0 :]:
        tell(f"layer {number} of {len(train)}")
        model = fit(config, seen, labels[chosen], len(data.classes), team)
        accuracies.append(float(model.accuracy(unseen, data.test_labels, team)))
    return accuracies


def fit(config: Config, features: np.ndarray, labels: np.ndarray, classes: int, team: ThreadTeam):
    """The read-out that the configuration asks for, fitted to the features of one layer."""
    if config.readout == "hinge":
        return hinge.Hinge(seed=config.seed).fit(features, labels, classes, team)
    if config.readout == "knn":
        return neighbours.Nearest(seed=config.seed).fit(features, labels, classes, team)
    return logistic.Logistic(config.readout, seed=config.seed).fit(features, labels, classes, team)


def compare(config: Config, data: Dataset, weights: dict, team: ThreadTeam, tell=lambda line: None) -> dict:
    """Accuracies of the trained network and of the floor, as results.json holds them."""
    trained = read_out(config, data, weights, team, lambda line: tell(f"read-out, {line}"))
    floor = read_out(config, data, None, team, lambda line: tell(f"floor, {line}"))
    return {
        "readout": config.readout,
        "test_accuracy": trained[-1],
        "floor_accuracy": floor[-1],
        "per_layer": [
            {"layer": number, "test_accuracy": a, "floor_accuracy": f}
            for number, (a, f) in enumerate(zip(trained, floor, strict=True), 1)
        ],
    }
