"""Two ways down the read-out's cost: L-BFGS by SciPy, and the published protocol's Adam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import scipy.optimize

from neurosim.core import tuning
from neurosim.readout.checks import STREAM

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.readout.softmax import Cost, Rows

RATE, EPOCHS, MINIBATCH = 1e-3, 200, 500  # the published protocol (Tang, Yang, Amit 2022)
_MEAN_DECAY, _SQUARE_DECAY, _EPSILON = 0.9, 0.999, 1e-8  # Adam's usual constants (Kingma, Ba 2015)
_LOOSE = 100  # a trial's tolerance over the last fit's; with 10 a third more steps choose as well
_DIRECTIONS = 128  # twice as many cost more to find than they save
_LEFT = 0.1  # of the curvature at p = 1/C, where fits end; with 0.03 to 0.3 they take about as many steps
_FLATTEST = 1e-6  # of the steepest curvature: where cost is flatter still, it is counted as this steep


class Spectrum:
    """The steepest directions of the cost, and weights counted in units that make it equally steep along all of them.

    Features are correlated: along few directions the cost curves thousands of times more than along the rest, and
    L-BFGS would spend its steps there. The curvature is ``q R + strength``, with ``R`` the correlations of the features
    and ``q = 1/C`` near ``p = 1/C``, less as answers become certain. With ``R``'s leading directions ``U`` and variances
    ``v``, and the mean variance ``r`` of all others, ``W`` is counted as ``M^(1/2) W``, where ``M`` is
    ``(q v + strength) / (q r + strength)`` along ``U`` and 1 elsewhere. The optimum is the same; on a network's activity
    an eighth to a half of the steps reach it. ``U`` comes from subspace iteration (Halko, Martinsson, Tropp 2011,
    algorithm 4.4).

    Args:
        cost: whose features are looked at.
        seed: of the directions to begin with.
    """

    def __init__(self, cost: Cost, seed: int):
        table, features = cost.table, cost.shape[0] - 1
        self._curving = _LEFT / cost.classes
        directions = min(_DIRECTIONS, features)
        dtype = table.features.dtype
        basis = np.random.default_rng([seed, STREAM, 2]).standard_normal((features, directions))
        for _ in range(2):
            basis = np.linalg.qr(basis)[0].astype(dtype)

            def visit(_: slice, block: Array, basis: Array = basis) -> tuple[Array, float]:
                return block.T @ (block @ basis), float(np.vdot(block, block))

            # Sums as wide as these want taller blocks.
            image, total = table.sweep(visit, block_bytes=8 * tuning.CPU.block_bytes)
            spread, basis = basis, image
        variances, turn = np.linalg.eigh(spread.T.astype(np.float64) @ image / len(cost.labels))
        self._directions, self._variances = spread @ turn, np.maximum(variances, 0)
        left = total / len(cost.labels) - self._variances.sum()
        self._rest = max(left, 0) / (features - directions) if features > directions else 0.0

    def units(self, strength: float) -> Array:
        """How much longer a unit is along each direction than along the rest, ``(direction,)``."""
        curvature = self._curving * self._variances + strength
        floor = max(_FLATTEST * curvature.max(), np.finfo(np.float64).tiny)
        rest = max(self._curving * self._rest + strength, floor)
        units: Array = np.sqrt(rest / np.maximum(curvature, floor))
        return units

    def rescale(self, weights: Array, units: Array) -> Array:
        """Multiply by the units along the directions; the last row stays."""
        out = weights.copy()
        out[:-1] += self._directions @ ((units - 1)[:, None] * (self._directions.T @ weights[:-1]))
        return out


class Solver(Protocol):
    """A way to lower the cost."""

    def trial(self, strength: float, start: Array, rows: Rows) -> Array:
        """Weights fitted to some images, good enough to compare strengths with."""
        ...

    def last(self, strength: float, start: Array) -> tuple[Array, float, int, bool]:
        """Weights, cost, steps taken and whether it converged, on all images."""
        ...


class Lbfgs:
    """Limited-memory BFGS with ten remembered pairs, in the units of the cost's spectrum.

    Args:
        cost: to be lowered.
        iterations: steps of a fit, at most.
        tolerance: stop when a step lowers the cost by less than this fraction of it.
        seed: of the search for the spectrum.
    """

    def __init__(self, cost: Cost, iterations: int, tolerance: float, seed: int):
        self._cost, self._iterations, self._tolerance = cost, iterations, tolerance
        self._spectrum = Spectrum(cost, seed)

    def trial(self, strength: float, start: Array, rows: Rows) -> Array:
        """Weights good enough to compare strengths with, from where another strength ended."""
        return self._run(strength, start, rows, self._tolerance * _LOOSE)[0]

    def last(self, strength: float, start: Array) -> tuple[Array, float, int, bool]:
        """Weights, cost, steps taken and whether it converged to the tolerance, on all images."""
        return self._run(strength, start, None, self._tolerance)

    def _run(
        self, strength: float, start: Array, rows: Rows | None, tolerance: float
    ) -> tuple[Array, float, int, bool]:
        units, rescale = self._spectrum.units(strength), self._spectrum.rescale

        def flat(point: Array) -> tuple[float, Array]:
            value, slope = self._cost(rescale(point.reshape(start.shape), units), strength, rows)
            return value, rescale(slope, units).ravel()

        begin = rescale(start, 1 / units).ravel()
        options = {"maxiter": self._iterations, "ftol": tolerance, "gtol": tolerance / 100}
        found = scipy.optimize.minimize(flat, begin, jac=True, method="L-BFGS-B", options=options)
        # A line search that finds nothing lower (status 2) stands where float32 sums can resolve no more: it has converged.
        weights = rescale(found.x.reshape(start.shape), units)
        return weights, float(found.fun), int(found.nit), found.status != 1


class Adam:
    """Adam over shuffled minibatches, from weights of zero.

    Args:
        cost: to be lowered.
        seed: of the order of the images.
    """

    def __init__(self, cost: Cost, seed: int):
        self._cost, self._seed = cost, seed

    def trial(self, strength: float, start: Array, rows: Rows) -> Array:
        """Weights after all epochs; where another strength ended plays no part."""
        return self._run(strength, np.arange(len(self._cost.labels))[rows])[0]

    def last(self, strength: float, start: Array) -> tuple[Array, float, int, bool]:
        """Weights, cost and steps taken, on all images. It always takes as many steps, and counts as converged."""
        weights, steps = self._run(strength, np.arange(len(self._cost.labels)))
        return weights, self._cost(weights, strength)[0], steps, True

    def _run(self, strength: float, rows: Array) -> tuple[Array, int]:
        random = np.random.default_rng([self._seed, STREAM, 1])
        weights, mean, square = (np.zeros(self._cost.shape) for _ in range(3))
        step = 0
        for _ in range(EPOCHS):
            order = random.permutation(rows)
            for start in range(0, len(order), MINIBATCH):
                step += 1
                slope = self._cost(weights, strength, order[start : start + MINIBATCH])[1]
                mean += (1 - _MEAN_DECAY) * (slope - mean)
                square += (1 - _SQUARE_DECAY) * (slope**2 - square)
                root = np.sqrt(square / (1 - _SQUARE_DECAY**step)) + _EPSILON
                weights -= RATE / (1 - _MEAN_DECAY**step) * mean / root
        return weights, step
