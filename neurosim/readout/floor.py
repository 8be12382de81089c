"""How good the features are: a read-out of every layer, beside the same for the untrained network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from neurosim.readout.results import READ_OUTS, Readout

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.data.dataset import Dataset, Labelled
    from neurosim.engine.threads import ThreadTeam
    from neurosim.networks.network import Network
    from neurosim.readout.curve import Side
    from neurosim.readout.features import Encoder
    from neurosim.readout.kept import Floors

__all__ = ["READ_OUTS", "Fitted", "Method", "Readout", "compare", "labelled", "nothing", "read_out"]


class Fitted(Protocol):
    """A read-out of one layer's features; ``path``: settings tried, each with the share right of images held out."""

    @property
    def path(self) -> Sequence[tuple[float, float]]:
        """Settings tried, each with the share right of labelled images held out; empty where there was no choice."""

    def predict(self, features: Array, team: ThreadTeam) -> Array:
        """The class of each image, ``(sample,)``."""

    def accuracy(self, features: Array, labels: Array, team: ThreadTeam) -> float:
        """Share of features whose label it finds, 0..1."""


@dataclass(frozen=True)
class Method:
    """How features are read out.

    Args:
        name: one of `READ_OUTS`.
        images: labelled training images that it may see.
        seed: of their choice and of the fit.
        labels: numbers of labels of the curve below ``images``; None: `neurosim.readout.curve.STANDARD`.
    """

    name: str = "lbfgs"
    images: int = 10000
    seed: int = 0
    labels: tuple[int, ...] | None = None

    def fit(self, features: Array, labels: Array, classes: int, team: ThreadTeam) -> Fitted:
        """The read-out, fitted to the features of one layer."""
        from neurosim.readout import hinge, logistic, neighbours, ridge  # SciPy is not needed before

        if self.name == "hinge":
            return hinge.Hinge(seed=self.seed).fit(features, labels, classes, team)
        if self.name == "knn":
            return neighbours.Nearest(seed=self.seed).fit(features, labels, classes, team)
        if self.name == "ridge":
            return ridge.Ridge(seed=self.seed).fit(features, labels, classes, team)
        return logistic.Logistic(self.name, seed=self.seed).fit(features, labels, classes, team)


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


def changed(trained: Network, untrained: Network) -> tuple[int, ...]:
    """Numbers of the layers whose own forward weights differ between two networks: those that learned."""
    pairs = zip(trained.projections, untrained.projections, strict=True)
    return tuple(
        number
        for number, (mine, drawn) in enumerate(pairs, 1)
        if any(
            not np.array_equal(synapse.weight.host(), other.weight.host())
            for synapse, other in zip(mine.synapses, drawn.synapses, strict=True)
        )
    )


def compare(
    trained: Encoder,
    untrained: Encoder,
    data: Dataset,
    method: Method,
    team: ThreadTeam,
    show: Callable[[str], object] = nothing,
    floors: Floors | None = None,
) -> Readout:
    """Read every layer of the trained network out with every number of labels, and of the untrained one, the floor.

    Args:
        trained, untrained: of one network. data, method, team, show: as for `read_out`. floors: where floors are kept.

    Raises:
        DataError: no labels, no test images, or fewer labels than classes.
    """
    from neurosim.readout import curve, draws, few  # SciPy is not needed before

    given, chosen, classes = data.for_readout(), labelled(data, method.images, method.seed), len(data.classes)
    if method.name == "lbfgs" and len(chosen) > few.FOLDED:
        chosen = chosen[few.ordered(given.labels[chosen], method.seed)]
    labels, learned = given.labels[chosen], changed(trained.network, untrained.network)
    counts = draws.numbers(method.labels, len(chosen), classes)
    drawn = draws.draw(labels, counts, classes, method.seed)

    def read(name: str, encoder: Encoder) -> curve.Side:
        shown = partial(_show, show, name)
        reading = curve.Reading(method, drawn, labels, given.test_labels, classes, learned, team, shown)
        images = given.images[chosen], given.test_images
        return reading.read(*(encoder.features(each, team) for each in images))

    side = read("read-out", trained)
    floor = _floor(lambda: read("floor", untrained), floors, (untrained, given, method, learned)) if learned else side
    points = curve.points(side, floor, drawn, len(trained.network), learned)
    asked = (*(method.labels or ()), *[method.images] * bool(method.labels))
    left_out = tuple(sorted({n for n in asked if n > counts[-1]}))
    right = np.array([side.right[layer, counts[-1]][0] for layer in range(1, len(trained.network) + 1)])
    return Readout(method.name, learned, points, left_out, right)


def _floor(
    read: Callable[[], Side], floors: Floors | None, of: tuple[Encoder, Labelled, Method, tuple[int, ...]]
) -> Side:
    """The untrained network's side, from where floors are kept, or read out and kept there."""
    if floors is None:
        return read()
    from neurosim.readout import kept

    encoder, given, method, learned = of
    key = kept.key((encoder,), given, method, learned)
    found = floors.find(key)
    if found is None:
        found = read()
        floors.keep(key, found)
    return found


def _show(show: Callable[[str], object], name: str, line: str) -> None:
    show(f"{name}, {line}")
