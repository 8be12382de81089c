"""Cross-validation over few images: softmax regressions on all folds at once, as columns of one product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.readout.checks import STREAM

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.readout.logistic import Path

FOLDS = 5
# With 100 to 500 labels of conv5's and small's features the best lies between 0.02 and 1, and the mean over draws of labels
# differs by less than 0.5 points whether two strengths a decade are tried or one.
STRENGTHS = (1.0, 0.1, 0.01, 0.001)
TOLERANCE = 1e-3  # of trials: they are compared, and no more
ITERATIONS = 200
_CURVING = 0.1  # curvature of the softmax in units of 1 / classes, where fits end; see `neurosim.readout.adam`


def choose(turned: Turned, labels: Array, classes: int, seed: int) -> tuple[float, Path]:
    """The strength that gets most images of folds right that it was not fitted to, and the whole search.

    Strengths are tried from strong to weak until one does worse than the best; of equal ones the strongest is taken.

    Args:
        turned: the images.
        labels: ``(sample,)``.
        classes: how many.
        seed: of the folds.
    """
    fold = folds(labels, min(FOLDS, len(labels)), seed)
    fits = Folded(turned, labels, classes, fold[:, None] != np.arange(fold.max() + 1))
    weights, best, chosen, path = fits.zeros(), -1.0, STRENGTHS[0], []
    for strength in STRENGTHS:
        weights = fits.run(strength, weights, TOLERANCE)[0]
        answers = fits.answers(weights)[np.arange(len(labels)), fold].argmax(axis=1)
        right = float(np.mean(answers == labels))
        path.append((strength, right))
        if right < best:
            break
        if right > best:
            best, chosen = right, strength
    return chosen, tuple(path)


def folds(labels: Array, count: int, seed: int) -> Array:
    """The fold of every image, ``(sample,)``: shuffled, sorted by class, dealt out in turn."""
    rows = np.random.default_rng([seed, STREAM, 4]).permutation(len(labels))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[rows] = np.arange(len(labels)) % count
    return fold


class Turned:
    """Images along their principal directions.

    Args:
        products: ``(sample, sample)`` float64.
        dtype: of the features.

    Attributes:
        images: ``(sample, direction)``.
        variances: ``(direction,)``, of the images along them.
    """

    def __init__(self, products: Array, dtype: np.dtype[np.floating]):
        squares, turn = np.linalg.eigh(products)
        # What lies below is rounding of the products.
        kept = squares > max(10 * np.finfo(dtype).eps * squares[-1], np.finfo(np.float64).tiny)
        root = np.sqrt(squares[kept])
        self.variances = squares[kept] / len(products)
        self.images = (turn[:, kept] * root).astype(dtype)
        self._turn = turn[:, kept] / root

    def shares(self, weights: Array) -> Array:
        """Weights ``(direction, class)`` as what every image has in them, ``(sample, class)``."""
        return np.asarray(self._turn @ weights)


class Folded:
    """Softmax regressions on parts of the same images, all at once: a copy of the weights a part.

    Args:
        turned: the images.
        labels: ``(sample,)``.
        classes: how many.
        parts: ``(sample, copy)``, whether a copy is fitted to an image.
    """

    def __init__(self, turned: Turned, labels: Array, classes: int, parts: Array):
        self.images, self.classes, self.copies = turned.images, classes, parts.shape[1]
        self._variances, self._curving = turned.variances, _CURVING / classes
        self._share = parts / parts.sum(axis=0)
        self._truth = np.eye(classes)[labels][:, None]

    def zeros(self) -> Array:
        """Weights to begin with, ``(direction + 1, copy * class)``; the last row is added to every image."""
        return np.zeros((self.images.shape[1] + 1, self.copies * self.classes))

    def answers(self, weights: Array) -> Array:
        """What every copy gives before the softmax, ``(sample, copy, class)`` float64."""
        found: Array = (self.images @ weights[:-1].astype(self.images.dtype)).astype(np.float64) + weights[-1]
        return found.reshape(len(found), self.copies, self.classes)

    def cost(self, weights: Array, strength: float) -> tuple[float, Array]:
        """The sum of the copies' costs, see `neurosim.readout.softmax.Cost`, and its slope."""
        activity = self.answers(weights)
        activity -= activity.max(axis=2, keepdims=True)
        chance = np.exp(activity)
        total = chance.sum(axis=2, keepdims=True)
        value = (self._share * (np.log(total[..., 0]) - (activity * self._truth).sum(axis=2))).sum()
        excess = ((chance / total - self._truth) * self._share[..., None]).reshape(len(activity), -1)
        slope = np.vstack([self.images.T @ excess.astype(self.images.dtype), excess.sum(axis=0)])
        slope[:-1] += strength * weights[:-1]
        return float(value) + strength / 2 * float(np.square(weights[:-1]).sum()), slope

    def run(self, strength: float, start: Array, tolerance: float) -> tuple[Array, float]:
        """Weights by L-BFGS and their cost; every direction is counted in units of its own curvature."""
        import scipy.optimize  # takes half of the time in which a command starts

        units = 1 / np.sqrt(np.append(self._curving * self._variances + strength, self._curving))[:, None]

        def flat(point: Array) -> tuple[float, Array]:
            value, slope = self.cost(point.reshape(start.shape) * units, strength)
            return value, (slope * units).ravel()

        options = {"maxiter": ITERATIONS, "ftol": tolerance, "gtol": tolerance / 100}
        found = scipy.optimize.minimize(flat, (start / units).ravel(), jac=True, method="L-BFGS-B", options=options)
        return found.x.reshape(start.shape) * units, float(found.fun)
