"""The hinge read-out: its changes are outer products by comparisons alone, and it separates classes."""

import numpy as np
import pytest

from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError, WiringError
from neurosim.readout import hinge, logistic
from neurosim.readout.checks import STREAM, split

CLASSES = 4


def fit(features, labels, classes, team, **options):
    return hinge.Hinge(**options).fit(features, labels, classes, team)


def draw(samples, features=30, noise=1.0, dtype=np.float64, seed=0):
    """Classes around centres of their own, on features with unlike means and scales."""
    random = np.random.default_rng([seed, 1])
    centres = random.normal(size=(CLASSES, features))
    offset, scale = random.normal(size=features) * 5, np.exp(random.normal(size=features))
    random = np.random.default_rng([seed, 2, samples])
    labels = random.permutation(np.arange(samples) % CLASSES)
    table = centres[labels] + noise * random.normal(size=(samples, features))
    return (table * scale + offset).astype(dtype), labels


def naive(features, labels, rate, strength, epochs):
    """Image by image and class by class, in the order that the seed 0 gives."""
    x = (features - features.mean(axis=0)) / features.std(axis=0)
    weights, last = np.zeros((x.shape[1], CLASSES)), np.zeros(CLASSES)
    random, step = np.random.default_rng([0, STREAM, 3]), 0
    steps = epochs * -(-len(x) // hinge.MINIBATCH)
    for _ in range(epochs):
        order = random.permutation(np.arange(len(x)))
        for start in range(0, len(x), hinge.MINIBATCH):
            rows = order[start : start + hinge.MINIBATCH]
            now, step = rate / x.shape[1] * (1 - step / steps), step + 1
            change, shift = np.zeros_like(weights), np.zeros_like(last)
            for row in rows:
                for c in range(CLASSES):
                    u = x[row] @ weights[:, c] + last[c]
                    if c == labels[row] and u < 1:
                        change[:, c] -= x[row]
                        shift[c] -= 1
                    elif c != labels[row] and u > -1:
                        change[:, c] += x[row]
                        shift[c] += 1
            weights -= now * (change + len(rows) * strength * weights)
            last -= now * shift
    return np.vstack([weights, last])


@pytest.mark.parametrize("samples", [70, 230])
def test_weights_are_the_naive_ones(worker, relative_error, samples):
    features, labels = draw(samples, 6)
    found = fit(features, labels, CLASSES, worker, rates=(0.5,), strengths=(0.02,), epochs=(3,))
    assert relative_error(found.weights, naive(features, labels, 0.5, 0.02, 3)) < 1e-12
    assert (found.method, found.rate, found.strength, found.epochs, found.path) == ("hinge", 0.5, 0.02, 3, ())
    assert found.steps == 3 * -(-samples // hinge.MINIBATCH)


def test_a_change_is_presynaptic_times_a_factor_of_minus_one_zero_or_one(worker):
    """Two images, one step from zero weights: every margin is broken, and every factor has the size 1."""
    features = np.array([[-3.0], [7.0]])
    found = fit(features, [0, 1], 2, worker, rates=(0.25,), strengths=(0.0,), epochs=(1,))
    assert found.weights.tolist() == [[-0.5, 0.5], [0.0, 0.0]]  # x = -1, +1; factor x summed over both, times 0.25
    assert found.cost == 2.0  # two classes' hinges of 1 an image
    assert found.predict(features, worker).tolist() == [0, 1]


def test_images_beyond_the_margin_change_nothing(worker):
    features, labels = np.array([[-1.0], [1.0]] * 50), np.array([0, 1] * 50)
    found = fit(features, labels, 2, worker, rates=(0.02,), strengths=(0.0,), epochs=(1,))
    again = fit(features, labels, 2, worker, rates=(0.02,), strengths=(0.0,), epochs=(50,))
    assert abs(found.weights[0, 1]) == pytest.approx(2.0)  # one minibatch of 100
    assert abs(again.weights[0, 1]) < 2.1  # after it no margin is broken: 49 more epochs change nothing
    assert again.cost == 0


def test_it_comes_near_the_linear_read_out(worker):
    features, labels = draw(1500, 40, noise=3.0, dtype=np.float32)
    unseen, unseen_labels = draw(2000, 40, noise=3.0, dtype=np.float32)
    found, best = (kind().fit(features, labels, CLASSES, worker) for kind in (hinge.Hinge, logistic.Logistic))
    assert best.accuracy(unseen, unseen_labels, worker) > 0.7
    assert found.accuracy(unseen, unseen_labels, worker) > best.accuracy(unseen, unseen_labels, worker) - 0.03


def test_the_choice_is_the_best_on_held_out_images(worker):
    features, labels = draw(400, 60, noise=4.0, dtype=np.float32)
    found = fit(features, labels, CLASSES, worker)
    tried = len(hinge.RATES) + len(hinge.STRENGTHS) - 1 + len(hinge.EPOCHS) - 1
    assert len(found.path) == tried
    kept, aside = split(labels, 0.1, 0)
    rest = (features[kept] - found.mean.astype("f4")) / found.scale.astype("f4")
    assert len(rest) + len(aside) == 400
    assert found.rate in hinge.RATES and found.strength in hinge.STRENGTHS and found.epochs in hinge.EPOCHS
    shares = [share for _, share in found.path]  # of all rates, then of more strengths, then of more epochs
    assert found.rate == hinge.RATES[int(np.argmax(shares[: len(hinge.RATES)]))]


def test_the_choice_is_made_on_images_that_were_not_learned_from(worker):
    """Labels without rhyme or reason: what was learned from is right, what was held out is guessed."""
    random = np.random.default_rng(6)
    features, labels = random.normal(size=(300, 600)).astype(np.float32), random.integers(0, CLASSES, 300)
    found = fit(features, labels, CLASSES, worker, held_out=0.5, rates=(1.0, 0.5), strengths=(0.0,), epochs=(20,))
    assert found.accuracy(features, labels, worker) > 0.95
    assert all(0.1 < share < 0.4 for _, share in found.path)


def test_same_bits_with_any_number_of_threads_and_the_seed_counts():
    features, labels = draw(700, 200, noise=3.0, dtype=np.float32)
    found = []
    for threads in (1, 2, 3):
        with ThreadTeam(threads) as team:
            found.append(fit(features, labels, CLASSES, team, epochs=(2,)))
    for other in found[1:]:
        assert np.array_equal(found[0].weights, other.weights) and found[0].path == other.path
    with ThreadTeam(1) as team:
        assert not np.array_equal(found[0].weights, fit(features, labels, CLASSES, team, epochs=(2,), seed=1).weights)


FEATURES, LABELS = draw(100, dtype=np.float32)


@pytest.mark.parametrize(
    ("features", "labels", "words"),
    [
        (FEATURES, LABELS[:99], "100 rows of features and 99 labels"),
        (FEATURES, LABELS * 0, "every label is 0"),
        (FEATURES * np.nan, LABELS, "image 0 hold NaN"),
        (FEATURES[0], LABELS, "shape (30,)"),
    ],
)
def test_unusable_data_is_refused_in_one_line(worker, features, labels, words):
    with pytest.raises(DataError) as error:
        fit(features, labels, CLASSES, worker)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "option",
    [
        {"rates": ()},
        {"rates": (0.0,)},
        {"strengths": (-1.0,)},
        {"strengths": ()},
        {"epochs": ()},
        {"epochs": (0,)},
        {"held_out": 0.6},
    ],
)
def test_options_that_do_not_exist(worker, option):
    with pytest.raises(WiringError):
        fit(FEATURES, LABELS, CLASSES, worker, **option)
