"""The read-out by ridge regression, against the normal equations in float64."""

import numpy as np
import pytest

from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError, WiringError
from neurosim.readout import ridge
from neurosim.readout.checks import split


def draw(samples, features, classes=3, seed=0, dtype=np.float64):
    random = np.random.default_rng([seed, samples])
    labels = random.permutation(np.arange(samples) % classes)
    middles = 1.5 * random.normal(size=(classes, features))
    return (random.normal(size=(samples, features)) * 3 + middles[labels] + 7).astype(dtype), labels


def naive(features, labels, classes, strength):
    """``(feature + 1, class)`` from the normal equations of standardised features."""
    x = (features - features.mean(axis=0)) / features.std(axis=0)
    t = np.eye(classes)[labels]
    share = t.mean(axis=0)
    weights = np.linalg.solve(x.T @ x / len(x) + strength * np.eye(x.shape[1]), x.T @ (t - share) / len(x))
    return np.vstack([weights, share])


@pytest.mark.parametrize("shape", [(60, 17), (31, 50)])  # by features, and by images
@pytest.mark.parametrize("cut", [5, 1000])
def test_weights_solve_the_normal_equations(worker, shape, cut, monkeypatch):
    monkeypatch.setattr(ridge, "TILE", cut)
    monkeypatch.setattr(ridge, "CHUNK", cut)
    features, labels = draw(*shape)
    for strength in (0.05, 3.0):
        found = ridge.Ridge((strength,)).fit(features, labels, 3, worker)
        np.testing.assert_allclose(found.weights, naive(features, labels, 3, strength), atol=1e-10)
        assert (found.strength, found.path) == (strength, ())
        x = np.hstack([(features - found.mean) / found.scale, np.ones((len(features), 1))])
        assert found.predict(features, worker).tolist() == (x @ found.weights).argmax(axis=1).tolist()


@pytest.mark.parametrize("shape", [(120, 17), (120, 200)])
def test_the_strength_is_chosen_on_images_that_are_not_fitted(worker, shape):
    features, labels = draw(*shape)
    found = ridge.Ridge().fit(features, labels, 3, worker)
    kept, aside = split(labels, 0.15, 0)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    for strength, right in found.path:
        x, t = standard[kept], np.eye(3)[labels[kept]] - np.bincount(labels) / len(labels)
        weights = np.linalg.solve(x.T @ x / len(x) + strength * np.eye(x.shape[1]), x.T @ t / len(x))
        answers = (standard[aside] @ weights + np.bincount(labels) / len(labels)).argmax(axis=1)
        assert right == np.mean(answers == labels[aside])
    tried = dict(found.path)
    assert next(iter(tried)) == ridge.FIRST and tried[found.strength] == max(tried.values()) and len(tried) >= 3
    np.testing.assert_allclose(found.weights, naive(features, labels, 3, found.strength), atol=1e-10)


@pytest.mark.parametrize("shape", [(300, 40), (90, 200)])
def test_any_number_of_threads_gives_the_same_bits(shape, monkeypatch):
    monkeypatch.setattr(ridge, "TILE", 16)
    features, labels = draw(*shape, dtype=np.float32)
    found = []
    for threads in (1, 3):
        with ThreadTeam(threads) as team:
            found.append(ridge.Ridge(seed=2).fit(features, labels, 3, team))
    assert found[0].weights.tobytes() == found[1].weights.tobytes() and found[0].path == found[1].path
    np.testing.assert_allclose(found[0].weights, naive(features.astype(float), labels, 3, found[0].strength), atol=1e-4)


def test_a_feature_that_never_varies_has_no_weight(worker):
    features, labels = draw(50, 8)
    features[:, 3] = 4
    found = ridge.Ridge((0.1,)).fit(features, labels, 3, worker)
    assert not found.weights[3].any() and np.isfinite(found.weights).all()


def test_what_cannot_be_is_refused(worker):
    features, labels = draw(30, 8)
    features[4, 2] = np.nan
    with pytest.raises(DataError, match="image 4 hold NaN"):
        ridge.Ridge().fit(features, labels, 3, worker)
    for wrong in ({"strengths": ()}, {"strengths": (0.0,)}, {"held_out": 0.0}):
        with pytest.raises(WiringError):
            ridge.Ridge(**wrong)
