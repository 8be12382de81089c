"""The read-out of few labels: its optimum is that of plain logistic regression, its choices are made on unseen images."""

import numpy as np
import pytest

from neurosim.errors import DataError
from neurosim.readout import few, folded
from neurosim.readout.curve import outputs
from neurosim.readout.folded import Folded, Turned, folds
from neurosim.readout.logistic import Logistic
from neurosim.readout.softmax import Cost, Table

CLASSES = 4


def draw(samples, features=30, noise=1.0, dtype=np.float64, seed=0):
    random = np.random.default_rng([seed, samples])
    labels = random.permutation(np.arange(samples) % CLASSES)
    table = random.normal(size=(CLASSES, features))[labels] + noise * random.normal(size=(samples, features))
    return (table * np.exp(random.normal(size=features)) + 5 * random.normal(size=features)).astype(dtype), labels


@pytest.fixture
def exact(monkeypatch):
    """Fits that go on until nothing changes."""
    monkeypatch.setattr(few, "TOLERANCE", 1e-15)
    monkeypatch.setattr(few, "ITERATIONS", 3000)
    monkeypatch.setattr(folded, "ITERATIONS", 3000)


@pytest.mark.parametrize("features", [5, 300])
def test_the_optimum_is_the_one_of_plain_logistic_regression(worker, relative_error, exact, features):
    """With fewer images than features, and with more."""
    table, labels = draw(80, features, noise=3.0)
    found = few.fit([few.Standard(table)], labels, CLASSES, 0)
    plain = Logistic(strengths=(found.strength,), tolerance=1e-15, iterations=3000).fit(table, labels, CLASSES, worker)
    assert found.cost == pytest.approx(plain.cost, rel=1e-9)
    assert relative_error(found.weights[0], plain.weights[:-1]) < 1e-4
    assert relative_error(found.mean[0], plain.mean) < 1e-12 and relative_error(found.scale[0], plain.scale) < 1e-12


@pytest.mark.parametrize(("features", "most"), [(20, 1000), (120, 1000), (120, 50)])
def test_of_more_images_too(worker, relative_error, exact, monkeypatch, features, most):
    """By the images, by Cholesky's triangle, and where even that would be too large."""
    monkeypatch.setattr(few, "FOLDED", 60)
    monkeypatch.setattr(few, "MOST", most)
    table, labels = draw(100, features, noise=3.0)
    rows = few.ordered(labels, 0)
    table, labels = table[rows], labels[rows]
    found = few.fit([few.Standard(table)], labels, CLASSES, 0, worker)
    plain = Logistic(strengths=(found.strength,), tolerance=1e-15, iterations=3000).fit(table, labels, CLASSES, worker)
    assert found.cost == pytest.approx(plain.cost, rel=1e-8)
    assert relative_error(found.weights[0], plain.weights[:-1]) < 1e-3


@pytest.mark.parametrize("folds_up_to", [1000, 10])
def test_layers_together_are_their_features_side_by_side(worker, relative_error, exact, monkeypatch, folds_up_to):
    monkeypatch.setattr(few, "FOLDED", folds_up_to)
    (one, labels), (two, _) = draw(60, 40, noise=3.0), draw(60, 50, noise=3.0)
    both = few.fit([few.Standard(one), few.Standard(two)], labels, CLASSES, 0, worker)
    joined = few.fit([few.Standard(np.hstack([one, two]))], labels, CLASSES, 0, worker)
    assert (both.strength, both.path) == (joined.strength, joined.path)
    assert relative_error(np.vstack(both.weights), joined.weights[0]) < 1e-4


def test_standardising_in_place_gives_the_same(relative_error):
    table, _ = draw(50, dtype=np.float32)
    table[:, 3] = -3e7
    before = table.copy()
    kept, spoilt = few.Standard(table), few.Standard(table.copy(), spoil=True)
    assert np.array_equal(table, before) and np.array_equal(kept.images, spoilt.images)
    assert kept.scale[3] == 1 and (kept.images[:, 3] == 0).all()
    wide = np.delete(table.astype(np.float64), 3, axis=1)
    assert relative_error(np.delete(kept.images, 3, axis=1), (wide - wide.mean(0)) / wide.std(0)) < 1e-4


def test_slope_of_all_folds_is_the_cost_s_by_central_differences(relative_error):
    table, labels = draw(30, 6)
    turned = Turned(few.Standard(table).products, np.dtype(np.float64))
    fits = Folded(turned, labels, CLASSES, folds(labels, 3, 0)[:, None] != np.arange(3))
    weights = np.random.default_rng(3).normal(size=fits.zeros().shape)
    found = np.empty(weights.shape)
    for place in np.ndindex(*weights.shape):
        ends = []
        for step in (1e-5, -1e-5):
            moved = weights.copy()
            moved[place] += step
            ends.append(fits.cost(moved, 0.3)[0])
        found[place] = (ends[0] - ends[1]) / 2e-5
    assert relative_error(fits.cost(weights, 0.3)[1], found) < 1e-8


def test_cost_of_all_folds_is_the_sum_of_each(worker):
    table, labels = draw(30, 6)
    turned = Turned(few.Standard(table).products, np.dtype(np.float64))
    fold = folds(labels, 3, 0)
    fits = Folded(turned, labels, CLASSES, fold[:, None] != np.arange(3))
    weights = np.random.default_rng(3).normal(size=fits.zeros().shape)
    total = 0.0
    for number in range(3):
        rows = np.flatnonzero(fold != number)
        cost = Cost(Table(turned.images, None, None, worker), labels, CLASSES)
        total += cost(weights[:, number * CLASSES : (number + 1) * CLASSES], 0.3, rows)[0]
    assert fits.cost(weights, 0.3)[0] == pytest.approx(total, rel=1e-12)


def test_every_class_is_in_every_fold_in_proportion():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    fold = folds(labels, 5, 0)
    for number in range(5):
        assert np.abs(np.bincount(labels[fold == number]) - [10, 6, 4]).max() <= 1
    assert not np.array_equal(fold, folds(labels, 5, 1))


@pytest.mark.parametrize("folds_up_to", [1000, 100])
def test_choice_is_made_on_images_that_were_not_fitted(worker, monkeypatch, folds_up_to):
    """Labels without rhyme or reason: all that was fitted is classified right, what was held out is guessed."""
    monkeypatch.setattr(few, "FOLDED", folds_up_to)
    random = np.random.default_rng(6)
    features, labels = random.normal(size=(300, 600)).astype(np.float32), random.integers(0, CLASSES, 300)
    found = few.fit([few.Standard(features)], labels, CLASSES, 0, worker)
    assert all(0.1 < right < 0.42 for _, right in found.path)


def test_outputs_of_many_fits_are_each_one_s(worker, relative_error):
    """Features that one fit never saw vary, and one that lies far from zero."""
    features, labels = draw(200, 20, dtype=np.float32)
    features[:30, 4] = 0
    features[:, 5] += 1e4
    parts = []
    for rows in (slice(0, 200), slice(0, 30), slice(100, 160)):
        found = few.fit([few.Standard(features[rows])], labels[rows], CLASSES, 0)
        parts.append((found.weights[0], found.mean[0], found.scale[0]))
    wide = features.astype(np.float64)
    for given, (weights, mean, scale) in zip(outputs(features, parts, worker), parts, strict=True):
        assert relative_error(given, (wide - mean) / scale @ weights) < 1e-3


def test_unusable_features_are_refused():
    table = draw(40)[0]
    table[7, 3] = np.nan
    with pytest.raises(DataError, match="image 7 hold NaN"):
        few.Standard(table)
    with pytest.raises(DataError, match="every label is 0"):
        few.fit([few.Standard(np.ones((9, 3)))], np.zeros(9, int), 2, 0)


def test_nothing_varies():
    found = few.fit([few.Standard(np.ones((9, 3), np.float32))], np.array([0, 1, 1, 1, 1, 0, 1, 1, 1]), 2, 0)
    assert found.last.argmax() == 1 and not found.weights[0].any()
