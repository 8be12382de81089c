"""The transformer of scikit-learn: its own checks, pictures and vectors, pipelines, searches, copies, partial_fit."""

import itertools
import pickle

import numpy as np
import pytest

import neurosim as ns

pytest.importorskip("sklearn", minversion="1.6", reason="the extra sklearn is not installed")

from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from neurosim.sklearn import _AUDITED, ContrastiveEncoder

TINY = {"network": "4 hardtanh, 6 pool", "epochs": 1, "batch": 10, "options": {"lags": 5}, "random_state": 0}


# scikit-learn has found nothing yet that this transformer must fail by its nature: none of its checks is expected to.
@parametrize_with_checks([ContrastiveEncoder(epochs=2)], expected_failed_checks=lambda _: {})
def test_scikit_learn_s_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def pictures():
    """Forty pictures of two kinds, bright above or below."""
    rng = np.random.default_rng(1)
    labels = np.arange(40) % 2
    images = rng.integers(0, 100, (40, 8, 8, 3))
    for kind in (0, 1):
        images[labels == kind, 4 * kind : 4 * kind + 4] += 100
    return images.astype(np.uint8), labels


@pytest.fixture(scope="module")
def fitted(pictures):
    return ContrastiveEncoder(image_shape=(8, 8, 3), **TINY).fit(*pictures)


def test_what_is_kept_of_audits_keeps_no_network(fitted):
    assert fitted.audit_ in {verdict.line() for verdict in _AUDITED.values()}
    assert {type(verdict.graph).__name__ for verdict in _AUDITED.values()} == {"Exported"}


def test_the_two_lines_of_the_documentation_word_for_word():
    rng = np.random.default_rng(0)
    y = np.arange(100) % 2
    x = rng.integers(0, 100, (100, 32, 32, 3))
    x[y == 1, :16] += 100
    *lines, last = """
from sklearn.pipeline import make_pipeline
from neurosim.sklearn import ContrastiveEncoder
make_pipeline(ContrastiveEncoder(rule="ll", image_shape=(32, 32, 3), epochs=2), LogisticRegression(max_iter=1000)).fit(x, y)
""".strip().split("\n")
    names = {"x": x, "y": y, "LogisticRegression": LogisticRegression}
    exec("\n".join(lines), names)
    assert eval(last, names).score(x, y) == 1


def test_pictures_in_every_form_give_the_same_bits(fitted, pictures):
    images, _ = pictures
    features = fitted.transform(images)
    assert features.shape == (40, 96) and features.dtype == np.float32
    assert fitted.get_feature_names_out()[:2].tolist() == ["contrastiveencoder0", "contrastiveencoder1"]
    assert len(fitted.get_feature_names_out()) == 96
    for form in (images.reshape(40, -1), images.astype(int), images / 255, (images / 255).reshape(40, -1)):
        np.testing.assert_array_equal(fitted.transform(form), features)


def test_it_is_the_experiment_of_the_same_words(fitted, pictures):
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    data = ns.Dataset("<arrays>", pictures[0], None, None, None, ())
    words = {"network": TINY["network"], "epochs": 1, "batch": 10, "lags": 5, "threads": 1, "seed": seed}
    same = ns.Experiment(data=data, rule="ll", **words).fit()
    np.testing.assert_array_equal(same.encode(pictures[0]), fitted.transform(pictures[0]))
    assert "no violation found" in fitted.audit_ and fitted.config_["rule"]["name"] == "ll"


def test_a_copy_by_pickle_gives_the_same_bits_and_goes_on_alike(fitted, pictures):
    copies = [pickle.loads(pickle.dumps(fitted)) for _ in range(2)]
    assert "_experiment" not in vars(copies[0]) and len(pickle.dumps(fitted)) < 1e6
    np.testing.assert_array_equal(copies[0].transform(pictures[0]), fitted.transform(pictures[0]))
    for copy in copies:
        copy.partial_fit(pictures[0])
    np.testing.assert_array_equal(copies[0].transform(pictures[0]), copies[1].transform(pictures[0]))
    assert not np.array_equal(copies[0].transform(pictures[0]), fitted.transform(pictures[0]))


def test_searches_and_clones(pictures):
    pipeline = make_pipeline(ContrastiveEncoder(image_shape=(8, 8, 3), **TINY), LogisticRegression(max_iter=1000))
    grid = {"contrastiveencoder__layer": [1, "together"]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(pictures[0].reshape(40, -1), pictures[1])
    assert search.best_score_ > 0.9
    again = clone(search.best_estimator_).fit(pictures[0].reshape(40, -1), pictures[1])
    for one in (again, search.best_estimator_):
        assert one.score(pictures[0].reshape(40, -1), pictures[1]) > 0.9


def test_partial_fit_learns_at_every_call_and_scales_as_at_first():
    rng = np.random.default_rng(3)
    x = rng.normal(5, 3, (60, 7))
    encoder = ContrastiveEncoder(batch=20, random_state=4)
    features = []
    for part in (x[:20], x[20:40], x[40:50], x[50:]):
        features.append(encoder.partial_fit(part).transform(x))
        assert encoder.config_["plasticity"]["schedule"] == "constant"
    assert all(not np.array_equal(one, other) for one, other in itertools.pairwise(features))
    np.testing.assert_allclose(encoder._mean, x[:20].mean(axis=0))
    np.testing.assert_array_equal(
        encoder.transform(x + 1000), encoder.transform(x + 2000)
    )  # outside all columns' range
    with pytest.raises(ValueError, match="minimum of 2"):
        encoder.partial_fit(x[:1])


def test_vectors_are_seen_by_a_dense_network_through_corrupted_views():
    x, y = load_wine(return_X_y=True)
    encoder = ContrastiveEncoder(epochs=3, batch=50, options={"masked": 0.3, "spread": 0.2}, random_state=0).fit(x, y)
    assert encoder.config_["views"]["deformation"] == "corrupt"
    assert encoder.config_["views"]["options"] == {"masked": 0.3, "spread": 0.2}
    assert encoder.state_["W1"].shape == (1, 1, 13, 128) and encoder.transform(x).shape == (178, 64)
    assert LogisticRegression(max_iter=5000).fit(encoder.transform(x), y).score(encoder.transform(x), y) > 0.9


def test_random_state_and_threads(pictures):
    x = pictures[0]
    made = [
        ContrastiveEncoder(image_shape=(8, 8, 3), **{**TINY, "random_state": state}, n_jobs=jobs).fit_transform(x)
        for state, jobs in ((1, None), (1, 3), (1, -1), (np.random.RandomState(1), 1), (2, 1))
    ]
    for other in made[1:4]:
        np.testing.assert_array_equal(made[0], other)
    assert not np.array_equal(made[0], made[4])


def test_rules_without_two_views_and_without_learning():
    x = np.random.default_rng(0).normal(size=(30, 5))
    for rule in ("none", "hebb"):
        encoder = ContrastiveEncoder(rule=rule, epochs=1, network="12 1x1 rectified")
        assert encoder.fit_transform(x).shape == (30, 12)


@pytest.mark.parametrize(
    ("words", "x", "said"),
    [
        ({"image_shape": (8, 8, 3)}, np.zeros((5, 7)), r"X has 7 features, but image_shape=\(8, 8, 3\) needs 192"),
        ({"image_shape": (8, 8)}, np.zeros((5, 64)), r"X has 64 features, but image_shape=\(8, 8\) needs"),
        ({"image_shape": (8, 8, 3)}, np.full((5, 192), 3.0), "floating numbers run from 3.0 to 3.0; expected 0 to 1"),
        ({"image_shape": (8, 8, 3)}, np.full((5, 192), 300), "whole numbers run from 300 to 300; expected 0 to 255"),
        ({"rule": "lll"}, np.zeros((5, 3)), "unknown rule 'lll'"),
        ({"layer": 9}, np.eye(5), "layer 9; expected 1 to 2"),
        ({"layer": "all"}, np.eye(5), "gives 2 arrays; expected one; write layer='together'"),
        ({"options": {"nonsense": 1}}, np.eye(5), "nonsense"),
    ],
)
def test_what_cannot_be_used_is_a_value_error_of_one_line(words, x, said):
    with pytest.raises(ValueError, match=said) as caught:
        ContrastiveEncoder(epochs=1, **words).fit_transform(x)
    assert "\n" not in str(caught.value)


def test_it_must_be_fitted():
    with pytest.raises(NotFittedError):
        ContrastiveEncoder().transform(np.zeros((3, 2)))
