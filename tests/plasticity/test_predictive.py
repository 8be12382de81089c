"""Predictive: the kernel's forms, and that connections end where what they carry tells nothing about what their unit answers."""

import numpy as np
from forms import Forms

from neurosim.plasticity.predictive import predictive

RNG = np.random.default_rng(6)


class TestForms(Forms):
    @staticmethod
    def cases():
        for decay in (0.0, 0.2):
            change, own, weight = (RNG.normal(size=23) for _ in range(3))
            given = {"change": change, "own": own, "weight": weight, "rate": np.array([0.1])}
            yield predictive, {**given, "decay": decay, "share": 0.3}, ["weight"]


def test_it_ends_at_the_inverse_of_the_covariance():
    """``(C + decay)^{-1} own``: a unit's own input, less what the others predict of it."""
    root = RNG.normal(size=(4, 4))
    covariance, own, weight = root @ root.T / 4, np.array([1.0, 0, 0, 0]), np.zeros(4)
    for _ in range(4000):  # what it answers is w x, so that the product of all samples with x is C w
        change = 10 * covariance @ weight
        predictive.form("cpu")(change, own, weight, np.array([0.2]), decay=0.05, share=0.1)
    np.testing.assert_allclose(weight, np.linalg.solve(covariance + 0.05 * np.eye(4), own), rtol=1e-6)
