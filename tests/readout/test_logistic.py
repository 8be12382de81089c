"""The read-out against SciPy's own minimiser, central differences and cases that can be solved by hand."""

import numpy as np
import pytest
import scipy.optimize

from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError, NeurosimError, WiringError
from neurosim.readout.adam import Lbfgs, Spectrum
from neurosim.readout.checks import split
from neurosim.readout.logistic import STRENGTHS, Logistic
from neurosim.readout.softmax import Cost, Table, moments

CLASSES = 4


def fit(features, labels, classes, team, **options):
    return Logistic(**options).fit(features, labels, classes, team)


def draw(samples, features=30, noise=1.0, dtype=np.float64, seed=0):
    """Classes around centres of their own, on features with unlike means and scales; every class is there."""
    random = np.random.default_rng([seed, 1])
    centres = random.normal(size=(CLASSES, features))
    offset, scale = random.normal(size=features) * 5, np.exp(random.normal(size=features))
    random = np.random.default_rng([seed, 2, samples])
    labels = random.permutation(np.arange(samples) % CLASSES)
    table = centres[labels] + noise * random.normal(size=(samples, features))
    return (table * scale + offset).astype(dtype), labels


def naive(weights, standard, labels, strength):
    """The cost, image by image."""
    weights = weights.reshape(standard.shape[1] + 1, -1)
    total = 0.0
    for row, label in zip(standard, labels, strict=True):
        chance = np.exp(row @ weights[:-1] + weights[-1])
        total -= np.log(chance[label] / chance.sum())
    return total / len(labels) + strength / 2 * (weights[:-1] ** 2).sum()


def test_moments_are_mean_and_deviation(worker, relative_error):
    features, _ = draw(333)
    mean, scale = moments(features, worker)
    assert relative_error(mean, features.mean(axis=0)) < 1e-13
    assert relative_error(scale, features.std(axis=0)) < 1e-13


def test_moments_of_a_feature_far_from_zero(worker, relative_error):
    """Squares of 1e4 in float32 would drown a deviation of 0.01; what float32 holds of it must come through."""
    features = (1e4 + np.random.default_rng(0).normal(size=(5000, 3))).astype(np.float32)
    _, scale = moments(features, worker)
    assert relative_error(scale, features.astype(np.float64).std(axis=0)) < 1e-6


@pytest.mark.parametrize("rows", [None, np.array([5, 2, 30, 17, 11])])
def test_slope_is_the_cost_s_by_central_differences(worker, relative_error, rows):
    features, labels = draw(40, 6)
    cost = Cost(Table(features, *moments(features, worker), worker), labels, CLASSES)
    weights = np.random.default_rng(3).normal(size=cost.shape)
    found = np.empty(cost.shape)
    for place in np.ndindex(*cost.shape):
        ends = []
        for step in (1e-5, -1e-5):
            moved = weights.copy()
            moved[place] += step
            ends.append(cost(moved, 0.3, rows)[0])
        found[place] = (ends[0] - ends[1]) / 2e-5
    assert relative_error(cost(weights, 0.3, rows)[1], found) < 1e-8


def test_cost_is_the_naive_one(worker):
    features, labels = draw(40, 6)
    mean, scale = moments(features, worker)
    cost = Cost(Table(features, mean, scale, worker), labels, CLASSES)
    weights = np.random.default_rng(3).normal(size=cost.shape)
    assert cost(weights, 0.3)[0] == pytest.approx(naive(weights, (features - mean) / scale, labels, 0.3), rel=1e-12)


@pytest.fixture
def correlated(worker):
    """A cost over 300 features whose variances fall from 1e4 to 1e-2: in plain units a fit is slow."""
    random = np.random.default_rng(8)
    latent = random.normal(size=(1000, 300)) * np.geomspace(100, 0.1, 300)
    features = latent @ np.linalg.qr(random.normal(size=(300, 300)))[0]
    signal = latent[:, 25:125:25] / latent[:, 25:125:25].std(axis=0)
    labels = np.argmax(signal + random.normal(size=signal.shape), axis=1)
    return Cost(Table(features, *moments(features, worker), worker), labels, CLASSES)


def test_spectrum_s_units_undo_each_other(correlated, relative_error):
    spectrum = Spectrum(correlated, 0)
    units = spectrum.units(0.01)
    weights = np.random.default_rng(0).normal(size=correlated.shape)
    there = spectrum.rescale(weights, units)
    assert relative_error(there, weights) > 0.1
    assert relative_error(spectrum.rescale(there, 1 / units), weights) < 1e-10


def test_slope_handed_to_scipy_is_the_cost_s(correlated, monkeypatch):
    """In the spectrum's units too; a wrong one would still end at the optimum, only slower."""
    handed = {}

    def catch(cost, start, **_):
        handed["cost"] = cost
        return scipy.optimize.OptimizeResult(x=start, fun=0.0, nit=0, status=0)

    monkeypatch.setattr("scipy.optimize.minimize", catch)
    weights = np.random.default_rng(0).normal(size=correlated.shape) / 10
    unmoved = Lbfgs(correlated, 10, 1e-9, 0).last(0.1, weights)[0]
    assert np.allclose(unmoved, weights, rtol=0, atol=1e-12)
    point, along = np.random.default_rng(1).normal(size=(2, weights.size)) / 10
    ends = [handed["cost"](point + step * along)[0] for step in (1e-4, -1e-4)]
    assert (ends[0] - ends[1]) / 2e-4 == pytest.approx(handed["cost"](point)[1] @ along, rel=1e-6)


def test_spectrum_shortens_the_fit(correlated):
    start = np.zeros(correlated.shape)

    def flat(weights):
        value, slope = correlated(weights.reshape(start.shape), 1e-3)
        return value, slope.ravel()

    plain = scipy.optimize.minimize(flat, start.ravel(), jac=True, method="L-BFGS-B", options={"ftol": 1e-9, "gtol": 0})
    solver = Lbfgs(correlated, 1000, 1e-9, 0)
    weights, value, steps, converged = solver.last(1e-3, start)
    assert value < plain.fun * (1 + 1e-6)
    assert converged
    assert steps < plain.nit / 2
    assert solver.last(1e-3, weights)[2] < steps / 4  # beginning at the end


@pytest.mark.parametrize(("features", "samples"), [(5, 80), (150, 60)])
def test_optimum_is_the_one_of_a_naive_fit(worker, relative_error, features, samples):
    """150 features are more than the spectrum has directions: both of its forms are used."""
    table, labels = draw(samples, features, noise=2.0)
    found = fit(table, labels, CLASSES, worker, strengths=(0.1,), tolerance=1e-15, iterations=2000)
    standard = (table - table.mean(axis=0)) / table.std(axis=0)
    ones, truth = np.c_[standard, np.ones(samples)], np.eye(CLASSES)[labels]

    def slope(weights, *_):
        """Written out a second time, so that SciPy need not take 600 differences a step."""
        chance = np.exp(ones @ weights.reshape(-1, CLASSES))
        penalty = 0.1 * weights.reshape(-1, CLASSES) * np.r_[np.ones(features), 0][:, None]
        return (ones.T @ (chance / chance.sum(axis=1, keepdims=True) - truth) / samples + penalty).ravel()

    start = np.zeros((features + 1) * CLASSES)
    wanted = scipy.optimize.minimize(
        naive, start, (standard, labels, 0.1), method="BFGS", jac=slope, options={"gtol": 1e-9, "xrtol": 1e-12}
    )
    assert found.cost == pytest.approx(wanted.fun, rel=1e-11)
    assert relative_error(found.weights[:-1], wanted.x.reshape(-1, CLASSES)[:-1]) < 1e-5


def test_two_points_by_hand(worker):
    """At -1 and +1 the weights are (-w, w), and 2 strength w = 2 / (1 + exp(2 w)) at the optimum."""
    strength = 0.2
    wanted = scipy.optimize.brentq(lambda w: strength * w - 1 / (1 + np.exp(2 * w)), 0, 10)
    features = np.array([[-3.0], [7.0]])
    readout = fit(features, [0, 1], 2, worker, strengths=(strength,), tolerance=1e-15)
    assert readout.weights[0] == pytest.approx([-wanted, wanted], rel=1e-6)
    assert readout.weights[1] == pytest.approx([0, 0], abs=1e-7)
    assert readout.mean == pytest.approx([2.0])
    assert readout.scale == pytest.approx([5.0])
    assert readout.predict(np.array([[1.9], [2.1]]), worker).tolist() == [0, 1]


def test_an_image_has_the_same_answer_alone(worker):
    """It is standardised by the images that were fitted, never by those it is asked with."""
    (features, labels), (asked, _) = draw(80), draw(30)
    readout = fit(features, labels, CLASSES, worker, strengths=(0.1,))
    alone = [int(readout.predict(asked[i : i + 1], worker)[0]) for i in range(len(asked))]
    assert readout.predict(asked, worker).tolist() == alone and len(set(alone)) > 1


def test_separable_classes_are_separated(worker):
    labels = np.arange(60) % 3
    features = np.eye(3, dtype=np.float32)[labels] + np.float32(0.01) * np.random.default_rng(0).random((60, 3), "f4")
    readout = fit(features, labels, 3, worker)
    assert readout.accuracy(features, labels, worker) == 1
    assert readout.strength == max(STRENGTHS)  # all do equally well: the strongest is taken


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_same_bits_with_any_number_of_threads(method):
    features, labels = draw(700, 200, noise=3.0, dtype=np.float32)
    before, found = features.copy(), []
    for threads in (1, 2, 3):
        with ThreadTeam(threads) as team:
            readout = fit(features, labels, CLASSES, team, method=method, strengths=(0.1, 0.01))
            found.append((readout, readout.predict(features, team)))
    first, answers = found[0]
    for other, found_answers in found[1:]:
        assert np.array_equal(first.weights, other.weights)
        assert (first.path, first.cost, first.steps) == (other.path, other.cost, other.steps)
        assert np.array_equal(answers, found_answers)
    assert np.array_equal(features, before)


def test_noise_asks_for_strength(worker):
    """Four times as many features as images, nearly all noise: weak strengths fit it, and do worse on what is unseen."""
    random = np.random.default_rng(5)
    labels, unseen_labels = np.arange(300) % CLASSES, np.arange(800) % CLASSES
    centres = np.zeros((CLASSES, 1200))
    centres[:, :20] = random.normal(size=(CLASSES, 20))
    features = (centres[labels] + random.normal(size=(300, 1200))).astype(np.float32)
    unseen = (centres[unseen_labels] + random.normal(size=(800, 1200))).astype(np.float32)
    strengths = (1000.0, 1.0, 1e-4)
    readout = fit(features, labels, CLASSES, worker, strengths=strengths)
    right = {
        s: fit(features, labels, CLASSES, worker, strengths=(s,)).accuracy(unseen, unseen_labels, worker)
        for s in strengths
    }
    assert readout.strength > 1e-4
    assert readout.accuracy(unseen, unseen_labels, worker) >= max(right.values()) - 0.02


def test_choice_is_made_on_images_that_were_not_fitted(worker):
    """Labels without rhyme or reason: all that was fitted is classified right, what was held out is guessed."""
    random = np.random.default_rng(6)
    features, labels = random.normal(size=(400, 800)).astype(np.float32), random.integers(0, CLASSES, 400)
    readout = fit(features, labels, CLASSES, worker, strengths=(0.01, 0.001), held_out=0.5)
    assert readout.accuracy(features, labels, worker) == 1
    assert all(0.1 < right < 0.4 for _, right in readout.path)


@pytest.mark.parametrize("held_out", [0.1, 0.15, 0.5])
def test_held_out_images_are_of_every_class_in_proportion(held_out):
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    kept, aside = split(labels, held_out, 0)
    assert sorted([*kept, *aside]) == list(range(1000))
    assert np.abs(np.bincount(labels[aside]) - held_out * np.array([600, 300, 100])).max() <= 1


def test_two_images_can_be_split():
    kept, aside = split(np.array([0, 1]), 0.1, 0)
    assert sorted([*kept, *aside]) == [0, 1]


def test_search_stops_after_two_falls(worker):
    features, labels = draw(400, 100, noise=12.0, dtype=np.float32)
    readout = fit(features, labels, CLASSES, worker, strengths=[10.0**-k for k in range(-2, 6)])
    right = [accuracy for _, accuracy in readout.path]
    below = [now < max(right[:place]) for place, now in enumerate(right) if place]
    assert readout.strength == readout.path[int(np.argmax(right))][0]
    assert len(readout.path) < 8
    assert below[-2:] == [True, True]


def test_features_that_never_vary_change_nothing(worker):
    features, labels = draw(200, 20, dtype=np.float32)
    still = np.tile(np.float32([0.0, 0.1, -3e7]), (200, 1))
    readout = fit(np.hstack([features, still]), labels, CLASSES, worker)
    assert (readout.scale[20:] == 1).all()
    assert (readout.weights[20:23] == 0).all()
    moved = np.hstack([features, still + 5])
    alone = fit(features, labels, CLASSES, worker)
    assert np.array_equal(readout.predict(moved, worker), alone.predict(features, worker))


def test_nothing_varies(worker):
    readout = fit(np.ones((9, 3), np.float32), [0, 1, 1, 1, 1, 0, 1, 1, 1], 2, worker, strengths=(0.0,))
    assert readout.predict(np.ones((2, 3), np.float32), worker).tolist() == [1, 1]


def test_one_class_may_be_missing(worker):
    features, labels = draw(100, dtype=np.float32)
    readout = fit(features, labels, CLASSES + 1, worker)
    assert readout.weights.shape == (31, CLASSES + 1)
    assert CLASSES not in readout.predict(features, worker)


def test_adam_comes_near_the_optimum(worker):
    features, labels = draw(1500, 20, noise=2.0, dtype=np.float32)
    unseen, unseen_labels = draw(1000, 20, noise=2.0, dtype=np.float32)
    best = fit(features, labels, CLASSES, worker)
    readout = fit(features, labels, CLASSES, worker, method="adam")
    assert (readout.strength, readout.path, readout.steps) == (0.0, (), 600)
    found, wanted = (r.accuracy(unseen, unseen_labels, worker) for r in (readout, best))
    assert wanted > 0.8
    assert found > wanted - 0.02


def test_adam_is_adam(worker, relative_error):
    """Fewer images than a minibatch: 200 steps of Kingma and Ba's algorithm 1 on all of them."""
    table, labels = draw(90, 7)
    standard = np.c_[(table - table.mean(axis=0)) / table.std(axis=0), np.ones(90)]
    weights = first = second = np.zeros((8, CLASSES))
    for step in range(1, 201):
        chance = np.exp(standard @ weights)
        slope = standard.T @ (chance / chance.sum(axis=1, keepdims=True) - np.eye(CLASSES)[labels]) / 90
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        weights = weights - 1e-3 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    assert relative_error(fit(table, labels, CLASSES, worker, method="adam").weights, weights) < 1e-9


def test_held_out_images_depend_on_the_seed(worker):
    features, labels = draw(200, noise=4.0, dtype=np.float32)
    one, same, other = (fit(features, labels, CLASSES, worker, seed=seed) for seed in (1, 1, 2))
    assert one.path == same.path != other.path
    assert np.array_equal(one.weights, same.weights)


def test_whole_numbers_and_few_images(worker):
    readout = fit(np.array([[0, 1], [200, 3]], np.uint8), np.array([1, 0], np.uint8), 2, worker)
    assert readout.predict([[0, 1], [200, 3]], worker).tolist() == [1, 0]


def _spoilt(value):
    features, _ = draw(100, dtype=np.float32)
    features[57, 3] = value
    return features


FEATURES, LABELS = draw(100, dtype=np.float32)
UNUSABLE = [
    (FEATURES, LABELS * 0, 1, "there are 1 classes"),
    (FEATURES, LABELS * 0, 2, "every label is 0"),
    (FEATURES[:3], LABELS[:3], CLASSES, "there are 3 images for 4 classes"),
    (FEATURES, LABELS[:99], CLASSES, "100 rows of features and 99 labels"),
    (FEATURES, LABELS, CLASSES - 1, "labels run from 0 to 3; expected 0 to 2"),
    (FEATURES, LABELS - 1, CLASSES, "labels run from -1"),
    (FEATURES, LABELS / 2, CLASSES, "labels are a float64 array"),
    (FEATURES, None, CLASSES, "labels are a object array"),
    (FEATURES[0], LABELS, CLASSES, "shape (30,)"),
    (FEATURES[:, :0], LABELS, CLASSES, "shape (100, 0)"),
    (FEATURES.astype(complex), LABELS, CLASSES, "complex128"),
    (_spoilt(np.nan), LABELS, CLASSES, "image 57 hold NaN"),
    (_spoilt(-np.inf), LABELS, CLASSES, "image 57 hold NaN"),
]


@pytest.mark.parametrize(("features", "labels", "classes", "words"), UNUSABLE, ids=[case[-1] for case in UNUSABLE])
def test_unusable_data_is_refused_in_one_line(features, labels, classes, words):
    with ThreadTeam(2) as team, pytest.raises(DataError) as error:
        fit(features, labels, classes, team)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "option",
    [
        {"method": "sgd"},
        {"strengths": ()},
        {"strengths": (-1.0,)},
        {"strengths": (np.nan, 1.0)},
        {"held_out": 0.0},
        {"held_out": 0.6},
    ],
)
def test_options_that_do_not_exist(worker, option):
    with pytest.raises(WiringError):
        fit(FEATURES, LABELS, CLASSES, worker, **option)


def test_read_out_refuses_other_features(worker):
    readout = fit(FEATURES, LABELS, CLASSES, worker)
    with pytest.raises(DataError, match="29 columns; expected 30"):
        readout.predict(FEATURES[:, 1:], worker)
    with pytest.raises(DataError, match="image 57"):
        readout.predict(_spoilt(np.inf), worker)
    with pytest.raises(NeurosimError, match="100 rows of features and 99 labels"):
        readout.accuracy(FEATURES, LABELS[1:], worker)
