"""The read-out by nearest neighbours, against distances and votes written out one by one."""

import collections

import numpy as np
import pytest

from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError, WiringError
from neurosim.readout import neighbours
from neurosim.readout.checks import split


def fit(features, labels, classes, team, **options):
    return neighbours.Nearest(**options).fit(features, labels, classes, team)


def draw(samples, features=6, classes=3, seed=0, dtype=np.float64):
    random = np.random.default_rng([seed, samples])
    labels = random.permutation(np.arange(samples) % classes)
    return (random.normal(size=(samples, features)) * 3 + labels[:, None] + 7).astype(dtype), labels


def naive(train, labels, asked, count):
    """Sort all distances, count the first votes, break ties by the nearest."""
    mean, scale = train.mean(axis=0), train.std(axis=0)
    train, asked = (train - mean) / scale, (asked - mean) / scale
    answers = []
    for row in asked:
        order = np.argsort(((train - row) ** 2).sum(axis=1), kind="stable")[:count]
        votes = collections.Counter(labels[order].tolist())
        most = max(votes.values())
        answers.append(next(label for label in labels[order].tolist() if votes[label] == most))
    return answers


@pytest.mark.parametrize("count", [1, 2, 5, 90])
def test_answers_are_the_naive_ones(worker, count, monkeypatch):
    monkeypatch.setattr(neighbours, "ROWS", 7)
    (train, labels), (asked, _) = draw(90), draw(40)
    found = fit(train, labels, 3, worker, counts=(count,))
    assert (found.count, found.path) == (count, ())
    assert found.predict(asked, worker).tolist() == naive(train, labels, asked, count)


def test_of_equal_votes_the_nearest_wins(worker):
    train = np.array([[0.0], [1.0], [3.0], [4.0]])
    found = fit(train, [0, 1, 1, 0], 2, worker, counts=(2,))
    assert found.predict([[0.4], [0.6], [2.9], [3.6]], worker).tolist() == [0, 1, 1, 0]


def test_of_images_as_near_the_first_is_taken(worker):
    train = np.array([[0.0], [0.0], [0.0], [2.0]])
    for labels in ([0, 1, 1, 1], [1, 0, 0, 0]):
        assert fit(train, labels, 2, worker, counts=(1,)).predict([[0.0]], worker).tolist() == labels[:1]


def test_count_is_chosen_on_held_out_images(worker):
    features, labels = draw(300)
    found = fit(features, labels, 3, worker)
    kept, aside = split(labels, 0.1, 0)
    assert [count for count, _ in found.path] == list(neighbours.COUNTS)
    for count, right in found.path:
        # Held-out images are standardised with the moments of all.
        mean, scale = features.mean(axis=0), features.std(axis=0)
        standard = (features - mean) / scale
        answers = [
            naive_plain(standard[kept], labels[kept], row, count) == label
            for row, label in zip(standard[aside], labels[aside], strict=True)
        ]
        assert right == pytest.approx(np.mean(answers))
    assert dict(found.path)[found.count] == max(right for _, right in found.path)


def naive_plain(train, labels, row, count):
    order = np.argsort(((train - row) ** 2).sum(axis=1), kind="stable")[:count]
    votes = np.bincount(labels[order], minlength=3)
    return next(label for label in labels[order] if votes[label] == votes.max())


def test_few_images(worker):
    assert fit(*draw(4, classes=2), 2, worker).count == 1
    assert fit(*draw(4, classes=2), 2, worker, counts=(50, 100)).count == 4


def test_same_bits_with_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(neighbours, "ROWS", 16)
    (train, labels), (asked, _) = draw(200, 40, dtype=np.float32), draw(100, 40, dtype=np.float32)
    found = []
    for threads in (1, 3):
        with ThreadTeam(threads) as team:
            one = fit(train, labels, 3, team)
            found.append((one.path, one.predict(asked, team).tolist()))
    assert found[0] == found[1]


def test_features_that_never_vary_change_nothing(worker):
    features, labels = draw(120)
    still = np.hstack([features, np.full((120, 2), 3e7)])
    asked, _ = draw(30)
    plain, more = (fit(f, labels, 3, worker) for f in (features, still))
    assert (
        plain.predict(asked, worker).tolist()
        == more.predict(np.hstack([asked, np.full((30, 2), 3e7)]), worker).tolist()
    )


def test_unusable_data_and_options_are_refused(worker):
    features, labels = draw(30)
    with pytest.raises(DataError, match="30 rows of features and 29 labels"):
        fit(features, labels[1:], 3, worker)
    for options in ({"counts": ()}, {"counts": (0,)}, {"held_out": 0.0}):
        with pytest.raises(WiringError):
            fit(features, labels, 3, worker, **options)
    found = fit(features, labels, 3, worker)
    with pytest.raises(DataError, match="5 columns; expected 6"):
        found.predict(features[:, 1:], worker)
    with pytest.raises(DataError, match="image 2 hold NaN"):
        found.predict(np.where(np.arange(30)[:, None] == 2, np.nan, features), worker)
    with pytest.raises(DataError, match="30 rows of features and 3 labels"):
        found.accuracy(features, labels[:3], worker)
