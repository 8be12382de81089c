"""The linear read-out by ridge regression: wide features of many images in minutes, by products and one factorisation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from neurosim.errors import WiringError
from neurosim.readout.checks import fraction, pairs_of, penalties, split
from neurosim.readout.logistic import Path, Readout
from neurosim.readout.softmax import Table, moments

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.engine.threads import ThreadTeam

STRENGTHS = (10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
FIRST = 0.2  # the strength that is tried first
TILE = 1024  # rows and columns of a product that one thread makes
CHUNK = 2048  # images, or features, that are standardised at once


@dataclass(frozen=True)
class Ridge:
    """Ridge regression on the classes: ``mean over images of |x W - t|^2 + strength |W|^2``, minimised exactly.

    t is 1 for the own class and 0 for others, less the class's share; x is standardised, the answer is the class with the
    largest ``x W`` plus its share. Solved by Cholesky's factor of ``X X' / N + strength`` (as many rows as images) or of
    ``X' X / N + strength`` (as many as features), whichever is smaller (Hoerl and Kennard 1970; Saunders, Gammerman and Vovk
    1998). The strength is chosen on held-out images: from `FIRST` upwards or downwards as long as more of them come right,
    of equal ones the first that was tried; then all images are fitted.

    Memory: the features, and the square of the smaller of both numbers (of 10,000 images 0.4 GB in float32, of 25,600 features
    2.6 GB).

    Args:
        strengths: to choose from, above 0; a single one is taken as it is.
        held_out: fraction of the images to choose on, each class in proportion; over 0 up to 0.5.
        seed: of the choice of held-out images.

    Raises:
        WiringError: strengths or a fraction that cannot be.
    """

    strengths: Sequence[float] = STRENGTHS
    held_out: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        penalties(self.strengths)
        if min(self.strengths) == 0:
            raise WiringError("strength 0", "strengths above 0", "leave strengths out")
        fraction(self.held_out)

    def fit(self, features: Array, labels: Array, classes: int, team: ThreadTeam) -> Readout:
        """Fit a read-out.

        Args:
            features: ``(sample, feature)``, float64 stays so, anything else is computed in float32; not changed.
            labels: ``(sample,)``, integers 0 .. classes - 1.
            classes: how many, 2 or more.
            team: who computes, inside their context; any number of threads gives the same bits.

        Raises:
            DataError: features or labels that cannot be used.
        """
        features, labels = pairs_of(features, labels, classes)
        kept, aside = split(labels, self.held_out, self.seed)
        with threadpool_limits(1):
            mean, scale = moments(features, team)
            table = Table(features, mean, scale, team)
            kind = _Images if len(features) <= features.shape[1] else _Features
            problem = kind(table, np.concatenate([kept, aside]), np.eye(classes)[labels], len(kept), team)
            path: Path = ()
            strength = self.strengths[0]
            if len(self.strengths) > 1:
                path = self._climb(lambda each: float(np.mean(problem.trial(each) == labels[aside])))
                strength = max(path, key=lambda each: each[1])[0]
            weights = problem.whole(strength)
        return Readout(weights, mean, scale, strength, "ridge", path, float("nan"), 1, True)

    def _climb(self, right: Callable[[float], float]) -> Path:
        """Strengths tried, each with the share right of the images held out."""
        order = sorted(self.strengths, reverse=True)
        begin = min(range(len(order)), key=lambda place: abs(float(np.log(order[place] / FIRST))))
        found = {begin: right(order[begin])}
        for step in (-1, 1):
            place = begin + step
            while 0 <= place < len(order) and max(found, key=lambda n: found[n]) == place - step:
                found[place] = right(order[place])
                place += step
        return tuple((order[place], share) for place, share in found.items())


class _Problem:
    """Images in an order of which the first are fitted in trials and the others are asked.

    Args:
        table: their features, standardised as they are read.
        order: rows of it.
        targets: ``(sample, class)``, 1 for the own class, in the table's order.
        kept: how many are fitted in trials.
        team: who computes.
    """

    def __init__(self, table: Table, order: Array, targets: Array, kept: int, team: ThreadTeam):
        self.table, self.order, self.kept, self.team = table, order, kept, team
        self.share = targets.mean(axis=0)
        self.targets = (targets - self.share)[order].astype(table.features.dtype)

    def answers(self, weights: Array) -> Array:
        """The class of every image that is asked in trials, from ``(feature, class)``."""
        found = np.empty(len(self.order) - self.kept, np.int64)

        def visit(place: slice, block: Array) -> tuple[()]:
            found[place] = (block @ weights + self.share).argmax(axis=1)
            return ()

        self.table.sweep(visit, self.order[self.kept :])
        return found

    def correlate(self, activity: Array, rows: Array) -> Array:
        """``X' a`` of some images, ``(feature, class)``."""

        def visit(place: slice, block: Array) -> tuple[Array]:
            return (block.T @ activity[place],)

        (found,) = self.table.sweep(visit, rows)
        return np.asarray(found)

    def ended(self, weights: Array) -> Array:
        """With the shares of the classes as the last row; float64."""
        return np.vstack([weights.astype(np.float64), self.share])


class _Images(_Problem):
    """No more images than features: ``W = X' (X X' / N + strength)^{-1} T / N``."""

    def __init__(self, table: Table, order: Array, targets: Array, kept: int, team: ThreadTeam):
        super().__init__(table, order, targets, kept, team)
        self.products = products(table.columns(order, CHUNK), len(order), table.features.dtype, team)

    def trial(self, strength: float) -> Array:
        """The class of every image that is asked, by the fit to the others."""
        kept = self.kept
        shares = solve(self.products[:kept, :kept].copy(), kept, strength, self.targets[:kept])
        found: Array = (self.products[kept:, :kept] @ shares / kept + self.share).argmax(axis=1)
        return found

    def whole(self, strength: float) -> Array:
        """Weights of the fit to all, ``(feature + 1, class)``; the last row is added to every image."""
        count = len(self.order)
        shares = solve(self.products, count, strength, self.targets) / count
        return self.ended(self.correlate(shares.astype(self.targets.dtype), self.order))


class _Features(_Problem):
    """Fewer features than images: ``W = (X' X / N + strength)^{-1} X' T / N``."""

    def __init__(self, table: Table, order: Array, targets: Array, kept: int, team: ThreadTeam):
        super().__init__(table, order, targets, kept, team)
        self.width = table.features.shape[1]
        self.products = products(table.rows(order[:kept], CHUNK), self.width, table.features.dtype, team)
        self.known = self.correlate(self.targets[:kept], order[:kept])

    def trial(self, strength: float) -> Array:
        """The class of every image that is asked, by the fit to the others."""
        return self.answers(solve(self.products, self.kept, strength, self.known) / self.kept)

    def whole(self, strength: float) -> Array:
        """Weights of the fit to all, ``(feature + 1, class)``; the last row is added to every image."""
        asked, dtype = self.order[self.kept :], self.table.features.dtype
        products(self.table.rows(asked, CHUNK), self.width, dtype, self.team, self.products)
        known = self.known + self.correlate(self.targets[self.kept :], asked)
        return self.ended(solve(self.products, len(self.order), strength, known) / len(self.order))


def products(
    chunks: Iterable[Array], size: int, dtype: np.dtype[Any], team: ThreadTeam, total: Array | None = None
) -> Array:
    """The sum over chunks of ``chunk' chunk``, of which the part on and below the diagonal is made.

    Args:
        chunks: ``(row, size)`` each.
        size: rows and columns of the sum.
        dtype: of the sum.
        team: who computes: every tile of the sum is one thread's, so that any number of threads gives the same bits.
        total: what is added to; None: zeros.
    """
    total = np.zeros((size, size), dtype) if total is None else total
    tiles = [slice(start, min(start + TILE, size)) for start in range(0, size, TILE)]

    def add(chunk: Array, down: slice, across: slice) -> None:
        total[down, across] += chunk[:, down].T @ chunk[:, across]

    for chunk in chunks:
        team.run([partial(add, chunk, down, across) for n, down in enumerate(tiles) for across in tiles[: n + 1]])
    return total


def solve(products: Array, count: int, strength: float, known: Array) -> Array:
    """``(products / count + strength)^{-1} known``; products keep their lower part, the upper one holds the factor.

    Args:
        products: ``(size, size)``, symmetric; what lies above the diagonal is not read.
        count: of images.
        strength: of the penalty.
        known: ``(size, class)``.
    """
    import scipy.linalg.lapack  # takes half of the time in which a command starts

    own = products.diagonal().copy()
    for start in range(0, len(products), TILE):
        stop = min(start + TILE, len(products))
        products[:stop, start:stop] = _mirrored(products, start, stop)
    products.flat[:: len(products) + 1] = own + count * strength
    factorise, answer = scipy.linalg.lapack.get_lapack_funcs(("potrf", "potrs"), (products,))
    # Seen by columns, what lies above the diagonal is below it: it is factorised where it lies.
    factor, failed = factorise(products.T, lower=1, overwrite_a=1, clean=0)
    assert not failed, "a positive strength keeps the products positive definite"
    found: Array = count * answer(factor, known, lower=1)[0]
    products.flat[:: len(products) + 1] = own
    return found


def _mirrored(products: Array, start: int, stop: int) -> Array:
    """Columns of the part above the diagonal, from the rows below it."""
    rows = products[start:stop, :stop].T.copy()
    square = products[start:stop, start:stop]
    rows[start:] = np.tril(square) + np.tril(square, -1).T
    return rows
