"""The read-out by k nearest neighbours: nothing is fitted, the nearest training images vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from neurosim.errors import WiringError
from neurosim.readout.checks import features_of, fraction, labels_of, pairs_of, same_columns, same_length, split
from neurosim.readout.softmax import check_finite, moments

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.engine.threads import ThreadTeam

COUNTS = (1, 5, 10, 20, 50, 100)
ROWS = 256  # images compared at once with all training images


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Training images that vote: the class of an image is the one most of its ``count`` nearest have.

    Distances are Euclidean, between standardised features. Of classes with as many votes, the one with the nearest
    image wins; of images as near, the one that comes first.

    Attributes:
        images: ``(training image, feature)``, standardised.
        labels: ``(training image,)``.
        classes: how many.
        mean: ``(feature,)``, of the training images.
        scale: ``(feature,)``, their standard deviation.
        count: k.
        path: the counts tried, each with the fraction right on the held-out images; empty where there was no choice.
    """

    images: Array
    labels: Array
    classes: int
    mean: Array
    scale: Array
    count: int
    path: tuple[tuple[int, float], ...]

    def predict(self, features: Array, team: ThreadTeam) -> Array:
        """The class of every image.

        Args:
            features: ``(sample, feature)``.
            team: who computes, inside their context.

        Returns:
            ``(sample,)`` int64, 0 .. classes - 1.

        Raises:
            DataError: features of another number, or not finite.
        """
        features = features_of(features)
        same_columns(features, self.mean)
        check_finite(features, slice(0, len(features)))
        with threadpool_limits(1):
            near = _nearest(self.images, _standard(features, self.mean, self.scale), self.count, team)
        return _votes(self.labels[near], self.classes, (self.count,))[0]

    def accuracy(self, features: Array, labels: Array, team: ThreadTeam) -> float:
        """The fraction of images classified correctly, 0 to 1; arguments and errors as `predict`."""
        labels = labels_of(labels, self.classes)
        same_length(features, labels)
        return float(np.mean(self.predict(features, team) == labels))


@dataclass(frozen=True)
class Nearest:
    """The ``k`` nearest training images vote; ``k`` is chosen on held-out images, then all training images vote.

    Args:
        counts: of neighbours, to choose from; a single one is taken as it is. Counts above the number of images that
            remain to be compared with are left out; if that leaves none, all images vote.
        held_out: fraction of the training images to choose on, each class in proportion; over 0 up to 0.5.
        seed: of the choice of held-out images.

    Raises:
        WiringError: a count below 1, or a fraction that does not exist.
    """

    counts: Sequence[int] = COUNTS
    held_out: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if not len(self.counts) or min(self.counts) < 1:
            raise WiringError(
                f"{tuple(self.counts)} neighbours", "one whole number or more, all above 0", "leave them out"
            )
        fraction(self.held_out)

    def fit(self, features: Array, labels: Array, classes: int, team: ThreadTeam) -> Neighbours:
        """Choose ``k`` and keep the images.

        Args:
            features: ``(sample, feature)``; not changed.
            labels: ``(sample,)``, integers 0 .. classes - 1.
            classes: how many, 2 or more.
            team: who computes, inside their context; any number of threads gives the same bits.

        Raises:
            DataError: features or labels that cannot be used.
        """
        features, labels = pairs_of(features, labels, classes)
        path: tuple[tuple[int, float], ...] = ()
        with threadpool_limits(1):
            mean, scale = moments(features, team)
            images = _standard(features, mean, scale)
            kept, aside = split(labels, self.held_out, self.seed)
            counts = tuple(k for k in sorted(set(self.counts)) if k <= len(kept)) or (len(labels),)
            if len(counts) > 1:
                near = _nearest(images[kept], images[aside], counts[-1], team)
                answers = _votes(labels[kept][near], classes, counts)
                path = tuple(
                    (k, float(np.mean(each == labels[aside]))) for k, each in zip(counts, answers, strict=True)
                )
        # Of counts that do equally well, the one in the middle is the least a matter of chance.
        best = [k for k, right in path if right == max(r for _, r in path)] if path else counts
        return Neighbours(images, labels, classes, mean, scale, best[len(best) // 2], path)


def _standard(features: Array, mean: Array, scale: Array) -> Array:
    images: Array = features - mean.astype(features.dtype)
    np.multiply(images, (1 / scale).astype(features.dtype), out=images)
    return images


def _nearest(images: Array, asked: Array, count: int, team: ThreadTeam) -> Array:
    """Rows of the ``count`` nearest images of each image asked for, nearest first; int64 ``(sample, count)``."""
    # |a - b|^2 = |a|^2 - 2 a b + |b|^2, of which the first is the same for all b.
    half = (images * images).sum(axis=1) / 2
    near = np.empty((len(asked), count), np.int64)

    def compare(start: int) -> None:
        block = asked[start : start + ROWS]
        apart = half - block @ images.T
        rows = np.arange(len(block))[:, None]
        limit = np.partition(apart, count - 1, axis=1)[:, count - 1, None]
        # Where several images lie as far as the last one, those that come first are taken.
        closer = apart < limit
        ties = (apart == limit).cumsum(axis=1) <= count - closer.sum(axis=1, keepdims=True)
        found = np.nonzero(closer | ((apart == limit) & ties))[1].reshape(len(block), count)
        near[start : start + ROWS] = found[rows, np.argsort(apart[rows, found], axis=1, kind="stable")]

    team.run([partial(compare, start) for start in range(0, len(asked), ROWS)])
    return near


def _votes(labels: Array, classes: int, counts: Sequence[int]) -> list[Array]:
    """For each count, the class with most of the first so many votes of each row, of equal ones the nearest."""
    found = []
    for count in counts:
        first = labels[:, :count]
        votes = np.zeros((len(labels), classes), np.int64)
        np.add.at(votes, (np.arange(len(labels))[:, None], first), 1)
        # The votes that each neighbour's own class has: the first neighbour whose class has most of them decides.
        own = np.take_along_axis(votes, first, axis=1)
        found.append(first[np.arange(len(labels)), own.argmax(axis=1)])
    return found
