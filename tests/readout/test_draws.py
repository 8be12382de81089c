"""Which labels a curve is read out with."""

import numpy as np
import pytest

from neurosim.errors import DataError
from neurosim.readout import few
from neurosim.readout.draws import balanced, draw, numbers


@pytest.mark.parametrize(
    ("asked", "available", "classes", "wanted"),
    [
        (None, 10_000, 10, (100, 500, 2000, 10_000)),
        (None, 6000, 10, (100, 500, 2000, 6000)),
        (None, 300, 10, (100, 300)),
        (None, 50_000, 100, (500, 2000, 50_000)),
        ((50_000, 100, 100), 50_000, 10, (100, 50_000)),
        ((100, 10_000, 50_000), 6000, 10, (100, 6000)),
    ],
)
def test_the_largest_number_is_all_that_may_be_seen(asked, available, classes, wanted):
    assert numbers(asked, available, classes) == wanted


def test_fewer_labels_than_classes_are_refused():
    with pytest.raises(DataError, match="labels=50 for 100 classes; expected 100 or more"):
        numbers((50, 500), 1000, 100)


@pytest.mark.parametrize("count", [3, 10, 11, 29, 45, 59])
def test_classes_are_balanced_as_numbers_allow(count):
    """No class has two more than another that could give one more."""
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [30, 25, 5]))
    rows = balanced(labels, count, 3, np.random.default_rng(count))
    have, there = np.bincount(labels[rows], minlength=3), np.bincount(labels)
    assert len(set(rows)) == count and list(rows) == sorted(rows)
    assert all(have[a] <= have[b] + 1 or have[b] == there[b] for a in range(3) for b in range(3))


def test_draws_are_a_function_of_seed_and_number(monkeypatch):
    labels = np.arange(400) % 4
    first, again, other = (draw(labels, (20, 300, 400), 4, seed) for seed in (1, 1, 2))
    assert [len(first[count]) for count in (20, 300, 400)] == [10, 3, 1]
    for count in (20, 300):
        assert all(np.array_equal(a, b) for a, b in zip(first[count], again[count], strict=True))
        assert not np.array_equal(first[count][0], other[count][0])
        assert not np.array_equal(first[count][0], first[count][1])
    assert np.array_equal(first[400][0], np.arange(400))
    assert np.array_equal(draw(labels, (20, 400), 4, 1)[20][3], first[20][3])
    monkeypatch.setattr(few, "FOLDED", 100)
    held = draw(labels, (300, 400), 4, 1)[300][0]
    assert sorted(held) == sorted(first[300][0])
    assert np.bincount(labels[held[-45:]]).min() >= 11  # 15 % of 300 come last, of every class
