"""How good the features are: a read-out of every layer, beside the same for the untrained network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.data.dataset import Dataset
    from neurosim.engine.threads import ThreadTeam
    from neurosim.readout.features import Encoder

READ_OUTS = {"lbfgs": "linear", "adam": "linear", "hinge": "hinge", "knn": "nearest-neighbour"}  # in words


class Fitted(Protocol):
    """A read-out of one layer's features."""

    def accuracy(self, features: Array, labels: Array, team: ThreadTeam) -> float:
        """Share of features whose label it finds, 0..1."""


@dataclass(frozen=True)
class Method:
    """How features are read out.

    Args:
        name: one of `READ_OUTS`.
        images: labelled training images that it may see.
        seed: of their choice and of the fit.
    """

    name: str = "lbfgs"
    images: int = 10000
    seed: int = 0

    def fit(self, features: Array, labels: Array, classes: int, team: ThreadTeam) -> Fitted:
        """The read-out, fitted to the features of one layer."""
        from neurosim.readout import hinge, logistic, neighbours  # SciPy is not needed before

        if self.name == "hinge":
            return hinge.Hinge(seed=self.seed).fit(features, labels, classes, team)
        if self.name == "knn":
            return neighbours.Nearest(seed=self.seed).fit(features, labels, classes, team)
        return logistic.Logistic(self.name, seed=self.seed).fit(features, labels, classes, team)


@dataclass(frozen=True)
class Readout:
    """What a read-out of every layer found, beside the floor: the same network untrained. It prints as a table.

    Args:
        method: of the read-out.
        accuracy: share of test images that are right, 0..1, of layer 1 first.
        floor: the same of the untrained network.
    """

    method: str
    accuracy: tuple[float, ...]
    floor: tuple[float, ...]

    @property
    def how(self) -> str:
        """The method in words."""
        return READ_OUTS[self.method]

    def __str__(self) -> str:
        lines = [f"{self.how} read-out, % of test images", "layer  trained  untrained  difference"]
        for number, (trained, floor) in enumerate(zip(self.accuracy, self.floor, strict=True), 1):
            lines.append(f"{number:<5}  {100 * trained:7.1f}  {100 * floor:9.1f}  {100 * (trained - floor):+10.1f}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """As results.json holds it: the top layer's, and every layer's."""
        return {
            "readout": self.method,
            "test_accuracy": self.accuracy[-1],
            "floor_accuracy": self.floor[-1],
            "per_layer": [
                {"layer": number, "test_accuracy": trained, "floor_accuracy": floor}
                for number, (trained, floor) in enumerate(zip(self.accuracy, self.floor, strict=True), 1)
            ],
        }


def labelled(data: Dataset, images: int, seed: int) -> Array:
    """Which labelled images the read-out may see: ``images`` of them, drawn by the seed, or all.

    Raises:
        DataError: no labels or no test images.
    """
    order = np.random.default_rng([seed, ord("R")]).permutation(len(data.for_readout().images))
    return np.sort(order[:images])


def nothing(line: str) -> None:
    """Shows no progress."""


def read_out(
    encoder: Encoder,
    data: Dataset,
    method: Method,
    team: ThreadTeam,
    show: Callable[[str], object] = nothing,
    only_top: bool = False,
) -> list[float]:
    """Test accuracy of a read-out of each layer, layer 1 first, 0..1.

    Args:
        encoder: whose features are read out.
        data: with labels.
        method: of the read-out.
        team: who computes.
        show: called with a line as work goes on.
        only_top: read the top layer out alone, in a fraction of the time.

    Raises:
        DataError: no labels or no test images.
    """
    given, chosen = data.for_readout(), labelled(data, method.images, method.seed)
    layers = [len(encoder.network)] if only_top else list(range(1, len(encoder.network) + 1))
    train = encoder.features(given.images[chosen], team, layers)
    test = encoder.features(given.test_images, team, layers)
    accuracies = []
    for number, seen, unseen in zip(layers, train, test, strict=True):
        show(f"layer {number} of {len(encoder.network)}")
        fitted = method.fit(seen, given.labels[chosen], len(data.classes), team)
        accuracies.append(float(fitted.accuracy(unseen, given.test_labels, team)))
    return accuracies


def compare(
    trained: Encoder,
    untrained: Encoder,
    data: Dataset,
    method: Method,
    team: ThreadTeam,
    show: Callable[[str], object] = nothing,
) -> Readout:
    """Read every layer of the trained network out, and of the untrained one, which is the floor.

    Args:
        trained, untrained: of one network. data, method, team, show: as for `read_out`.

    Raises:
        DataError: no labels or no test images.
    """
    accuracy = read_out(trained, data, method, team, lambda line: show(f"read-out, {line}"))
    floor = read_out(untrained, data, method, team, lambda line: show(f"floor, {line}"))
    return Readout(method.name, tuple(accuracy), tuple(floor))
