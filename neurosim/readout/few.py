"""The linear read-out of few labels: the optimum is `neurosim.readout.logistic`'s, found from products of images.

The weights of a penalised regression lie in the span of the images that it is fitted to: ``W = X' a``. With fewer images
than features all that it needs is ``X X'``, a table of ``n`` by ``n`` numbers instead of one of ``n`` by ten thousand: of
``Z`` with ``Z Z' = X X'`` the optimum is the same, because the penalty sees lengths alone. Of several layers together
``X X'`` is the sum of the layers'. Up to 1,000 images ``Z`` are the images along their principal directions, and all folds
of a cross-validation are fitted at once, as columns of one product; above, ``Z`` is Cholesky's triangle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from neurosim.readout.checks import enough, features_of, labels_of, split
from neurosim.readout.folded import Folded, Turned, choose
from neurosim.readout.logistic import Path, climb
from neurosim.readout.softmax import Cost, Table, check_finite

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.engine.threads import ThreadTeam

FOLDED = 1000  # labels up to which strengths are judged by folds; above, one set that is held out says enough
MOST = 2500  # labels; a table of n by n numbers of more costs more than it saves
HELD_OUT = 0.15  # above it
ITERATIONS = 100  # of a fit to more than `FOLDED` images, at most
TOLERANCE = 1e-5  # a fit ends when a step lowers the cost by less than this fraction of it


class Standard:
    """Features of some images, standardised by their own mean and deviation.

    Args:
        features: ``(sample, feature)``, float64 stays so, anything else becomes float32.
        spoil: whether their own array may hold the standardised ones; else they are not changed.

    Attributes:
        images: ``(sample, feature)``, standardised.
        mean, scale: ``(feature,)``; the scale of a feature that never varies is 1.

    Raises:
        DataError: features that cannot be used.
    """

    def __init__(self, features: Array, spoil: bool = False):
        features = features_of(features)
        check_finite(features, slice(0, len(features)))
        # The first image is taken off first: a feature that never varies has a deviation of exactly zero, whatever it is.
        first = features[0].copy()
        shifted = np.subtract(features, first, out=features if spoil else None)
        shift = shifted.mean(axis=0, dtype=np.float64)
        shifted -= shift.astype(features.dtype)
        scale = np.sqrt(np.einsum("nd,nd->d", shifted, shifted) / features.dtype.type(len(features))).astype(np.float64)
        self.mean = first + shift
        self.scale: Array = np.where(scale > np.finfo(features.dtype).tiny, scale, 1.0)
        shifted *= (1 / self.scale).astype(features.dtype)
        self.images: Array = shifted

    @cached_property
    def products(self) -> Array:
        """``X X'``, ``(sample, sample)`` float64; the sums in the features' type."""
        return np.asarray(self.images @ self.images.T, np.float64)


@dataclass(frozen=True, eq=False)
class Fit:
    """A read-out of one layer, or of several together: ``u = sum over layers ((x - mean) / scale) W + last``.

    Attributes:
        weights: ``(feature, class)`` of each layer.
        mean, scale: ``(feature,)`` of each layer.
        last: ``(class,)``, added to every image.
        strength: of the penalty.
        path: the strengths tried, each with the fraction right of images that were not fitted.
        cost: what the last fit came down to, penalty included.
    """

    weights: tuple[Array, ...]
    mean: tuple[Array, ...]
    scale: tuple[Array, ...]
    last: Array
    strength: float
    path: Path
    cost: float


def fit(
    layers: Sequence[Standard],
    labels: Array,
    classes: int,
    seed: int,
    team: ThreadTeam | None = None,
    first: float | None = None,
    joined: Array | None = None,
) -> Fit:
    """Multinomial logistic regression; the cost is that of `neurosim.readout.softmax.Cost`.

    Up to `FOLDED` images each strength is judged by the images of five folds in turn, fitted to the others, every class in
    every fold in proportion; above by the last ones, which are held out (see `ordered`). Of equal strengths the strongest is
    taken.

    Args:
        layers: whose features are read out together.
        labels: ``(sample,)``, integers 0 .. classes - 1.
        classes: how many, 2 or more.
        seed: of the folds.
        team: who computes; up to `FOLDED` images the caller alone does.
        first: where more than `FOLDED` images' best strength is expected, see `neurosim.readout.logistic.climb`.
        joined: the layers' images side by side, where they are there already.

    Raises:
        DataError: features or labels that cannot be used.
    """
    labels = labels_of(labels, classes)
    enough(labels, classes)
    if len(labels) > FOLDED and team is not None:
        return _large(layers, labels, classes, seed, team, first, joined)
    turned = Turned(_products(layers), layers[0].images.dtype)
    strength, path = choose(turned, labels, classes, seed)
    whole = Folded(turned, labels, classes, np.ones((len(labels), 1)))
    weights, cost = whole.run(strength, whole.zeros(), TOLERANCE)
    return _back(layers, turned.shares(weights[:-1]), weights[-1], strength, path, cost)


def _products(layers: Sequence[Standard]) -> Array:
    total = layers[0].products.copy()
    for layer in layers[1:]:
        total += layer.products
    return total


def _back(layers: Sequence[Standard], shares: Array, last: Array, strength: float, path: Path, cost: float) -> Fit:
    """A fit from what every image has in it, ``(sample, class)``."""
    weights = tuple(layer.images.T @ shares.astype(layer.images.dtype) for layer in layers)
    return Fit(weights, tuple(e.mean for e in layers), tuple(e.scale for e in layers), last, strength, path, cost)


def ordered(labels: Array, seed: int) -> Array:
    """Rows in the order in which `fit` takes more than `FOLDED` images: those that are held out last, of every class."""
    return np.concatenate(split(labels, HELD_OUT, seed))


def _large(
    layers: Sequence[Standard],
    labels: Array,
    classes: int,
    seed: int,
    team: ThreadTeam,
    first: float | None,
    joined: Array | None,
) -> Fit:
    """`fit` for more than `FOLDED` images: by the images themselves, or by Cholesky's triangle where that is smaller."""
    from neurosim.readout.adam import Lbfgs

    count, widths = len(labels), [len(layer.mean) for layer in layers]
    lower = _triangle(layers, team) if count <= min(MOST, sum(widths)) else None
    if lower is not None:
        images = lower.astype(layers[0].images.dtype)
    elif joined is not None:
        images = joined
    else:
        images = layers[0].images if len(layers) == 1 else np.hstack([layer.images for layer in layers])
    cost = Cost(Table(images, None, None, team), labels, classes)
    solver = Lbfgs(cost, ITERATIONS, TOLERANCE, seed)
    kept = count - max(1, round(HELD_OUT * count))  # as `split` cuts
    strength, start, path = climb(cost, solver, slice(0, kept), slice(kept, count), first)
    weights, value, _, _ = solver.last(strength, start)
    if lower is not None:
        import scipy.linalg

        shares = scipy.linalg.solve_triangular(lower, weights[:-1], lower=True, trans="T")
        return _back(layers, shares, weights[-1], strength, path, value)
    parts = tuple(np.split(weights[:-1], np.cumsum(widths)[:-1]))
    return Fit(parts, tuple(e.mean for e in layers), tuple(e.scale for e in layers), weights[-1], strength, path, value)


def _triangle(layers: Sequence[Standard], team: ThreadTeam) -> Array:
    """Cholesky's triangle of the products, ``(sample, sample)`` float64.

    As if every image had a feature of its own, so small that the penalty alone sees it: it keeps the diagonal above rounding.
    """
    team.run([partial(getattr, layer, "products") for layer in layers])
    products = _products(layers)
    size = 100 * np.finfo(layers[0].images.dtype).eps * max(products.trace() / len(products), 1e-30)
    products[np.diag_indices(len(products))] += size
    return np.linalg.cholesky(products)
