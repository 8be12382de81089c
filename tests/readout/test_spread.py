"""Mean, spread, t intervals and Holm's correction against SciPy and against tables worked by hand."""

import numpy as np
import pytest
import scipy.stats

from neurosim.readout.spread import Difference, Spread, corrected


def test_mean_and_deviation():
    found = Spread((1.0, 2.0, 6.0))
    assert found.mean == pytest.approx(3) and found.deviation == pytest.approx(np.sqrt((4 + 1 + 9) / 2))
    assert Spread((1.0,)).deviation is None and found.to_json()["values"] == [1.0, 2.0, 6.0]


@pytest.mark.parametrize("count", [3, 5, 20])
def test_the_interval_and_p_are_those_of_a_paired_t_test(count):
    rng = np.random.default_rng(count)
    first, second = rng.normal(0.3, 0.02, count), rng.normal(0.31, 0.02, count)
    test = scipy.stats.ttest_rel(second, first)
    found = Difference(tuple(second - first))
    low, high = test.confidence_interval(0.95)
    assert found.p == pytest.approx(test.pvalue, rel=1e-9)
    assert (found.mean - found.interval, found.mean + found.interval) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize("values", [(0.1,), (0.1, 0.2)])
def test_fewer_than_three_seeds_claim_nothing(values):
    (found,) = corrected([Difference(values)])
    assert found.interval is None and found.p is None and found.corrected is None and not found.claimed


def test_seeds_that_agree_to_the_last_bit():
    assert Difference((0.5, 0.5, 0.5)).p == 0.0 and Difference((0.0, 0.0, 0.0)).p == 1.0
    assert Difference((0.5, 0.5, 0.5)).interval == 0.0


def test_holm_by_hand(monkeypatch):
    """The textbook's table: 0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02."""
    ps = {1.0: 0.01, 2.0: 0.04, 3.0: 0.03, 4.0: 0.005}
    monkeypatch.setattr(Difference, "p", property(lambda self: ps[self.values[0]]))
    found = corrected([Difference((value, 0.0, 0.0)) for value in ps])
    assert [each.corrected for each in found] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [each.claimed for each in found] == [True, False, False, True]
    assert [each.values[0] for each in found] == list(ps)


def test_holm_never_exceeds_one(monkeypatch):
    monkeypatch.setattr(Difference, "p", property(lambda self: 0.8))
    assert [each.corrected for each in corrected([Difference((0.0,) * 3)] * 3)] == [1.0] * 3


def test_noise_alone_is_seldom_claimed():
    """Of families of four differences of noise, at most about 5 in 100 claim any."""
    rng = np.random.default_rng(0)
    claims = sum(
        any(d.claimed for d in corrected([Difference(tuple(row)) for row in rng.normal(size=(4, 5))]))
        for _ in range(400)
    )
    assert claims <= 32
