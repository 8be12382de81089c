"""Dimensions of activity against the covariance of units, written out."""

import numpy as np
import pytest

from neurosim.diagnostics.dimension import common, participation


@pytest.mark.parametrize("shape", [(30, 7), (12, 3, 2, 5)])
def test_they_are_those_of_the_covariance(shape):
    random = np.random.default_rng(0)
    activity = (random.normal(size=shape) * np.linspace(0.1, 2, shape[-1]) + 3).astype(np.float32)
    table = activity.reshape(shape[0], -1).astype(np.float64)
    units, covariance = table.shape[1], np.zeros((table.shape[1],) * 2)
    for row in table - table.mean(axis=0):
        for i in range(units):
            for j in range(units):
                covariance[i, j] += row[i] * row[j]
    values = np.linalg.eigvalsh(covariance)
    assert participation(activity) == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=1e-6)
    along = np.ones(units) / np.sqrt(units)
    assert common(activity) == pytest.approx(along @ covariance @ along / values.sum(), rel=1e-6)


def test_one_line_and_independent_units():
    random = np.random.default_rng(1)
    line = random.normal(size=(50, 1)) * np.ones(6)
    assert participation(line) == pytest.approx(1) and common(line) == pytest.approx(1)
    apart = np.linalg.qr(random.normal(size=(50, 7)) - 0)[0]
    apart -= apart.mean(axis=0)
    apart = np.linalg.qr(apart)[0]  # centred columns at right angles and of one length
    assert participation(apart[:, :6]) == pytest.approx(6, rel=1e-6)
    assert common(apart[:, :6]) == pytest.approx(1 / 6, rel=1e-6)
    assert common(line * np.array([1, -1, 1, -1, 1, -1])) == pytest.approx(0, abs=1e-12)


def test_nothing_varies():
    still = np.full((9, 4), 0.1, np.float32)
    assert participation(still) == 0.0 and common(still) == 0.0
