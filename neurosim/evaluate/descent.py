"""Two ways down the read-out's cost: L-BFGS by SciPy, and the published protocol's Adam."""

from __future__ import annotations

import numpy as np
import scipy.optimize

from neurosim.evaluate.softmax import Cost

RATE, EPOCHS, MINIBATCH = 1e-3, 200, 500  # the published protocol (Tang, Yang, Amit 2022)
STREAM = 0x11EA4  # sets the read-out's random numbers apart from every other use of the same seed
_MEAN_KEPT, _SQUARE_KEPT, _FLOOR = 0.9, 0.999, 1e-8  # Adam's usual constants (Kingma, Ba 2015)
_LOOSE = 100  # a trial's tolerance over the last fit's
_SHARE = 3  # a trial may take one in so many of the last fit's iterations


class Lbfgs:
    """Limited-memory BFGS with ten remembered pairs.

    Args:
        cost: to be lowered.
        iterations: steps of the last fit, at most.
        tolerance: stop when a step lowers the cost by less than this fraction of it.
    """

    def __init__(self, cost: Cost, iterations: int, tolerance: float):
        self._cost, self._iterations, self._tolerance = cost, iterations, tolerance

    def trial(self, strength: float, start: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Weights good enough to compare strengths with, from where another strength ended."""
        iterations = max(1, self._iterations // _SHARE)
        return self._run(strength, start, rows, iterations, self._tolerance * _LOOSE)[0]

    def last(self, strength: float, start: np.ndarray) -> tuple[np.ndarray, float, int, bool]:
        """Weights, cost, steps taken and whether the tolerance was met, on all images."""
        return self._run(strength, start, None, self._iterations, self._tolerance)

    def _run(self, strength, start, rows, iterations, tolerance):
        def flat(weights):
            value, slope = self._cost(weights.reshape(start.shape), strength, rows)
            return value, slope.ravel()

        options = {"maxiter": iterations, "ftol": tolerance, "gtol": tolerance / 10}
        found = scipy.optimize.minimize(flat, start.ravel(), jac=True, method="L-BFGS-B", options=options)
        # A line search that finds nothing lower (status 2) stands where float32 sums can tell no more: that is settled.
        return found.x.reshape(start.shape), float(found.fun), int(found.nit), found.status != 1


class Adam:
    """Adam over shuffled minibatches, from weights of zero.

    Args:
        cost: to be lowered.
        seed: of the order of the images.
    """

    def __init__(self, cost: Cost, seed: int):
        self._cost, self._seed = cost, seed

    def trial(self, strength: float, start: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Weights after all epochs; where another strength ended plays no part."""
        return self._run(strength, rows)[0]

    def last(self, strength: float, start: np.ndarray) -> tuple[np.ndarray, float, int, bool]:
        """Weights, cost and steps taken, on all images. It always takes as many steps, and is called settled."""
        weights, steps = self._run(strength, np.arange(len(self._cost.labels)))
        return weights, self._cost(weights, strength)[0], steps, True

    def _run(self, strength, rows):
        random = np.random.default_rng([self._seed, STREAM, 1])
        weights, mean, square = (np.zeros(self._cost.shape) for _ in range(3))
        step = 0
        for _ in range(EPOCHS):
            order = random.permutation(rows)
            for start in range(0, len(order), MINIBATCH):
                step += 1
                slope = self._cost(weights, strength, order[start : start + MINIBATCH])[1]
                mean += (1 - _MEAN_KEPT) * (slope - mean)
                square += (1 - _SQUARE_KEPT) * (slope**2 - square)
                root = np.sqrt(square / (1 - _SQUARE_KEPT**step)) + _FLOOR
                weights -= RATE / (1 - _MEAN_KEPT**step) * mean / root
        return weights, step
