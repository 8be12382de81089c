"""Error units: which views meet, which receive an error, and how the stream goes on from batch to batch."""

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.losses import make
from neurosim.parts.error_units import error_units
from neurosim.parts.head import Head

cpu, reference = Backend("cpu"), Backend("reference")

UNITS, MOMENTS, LAGS = 4, 12, 4
MARGINS = {"threshold": 2.2, "delta": 0.8}
RNG = np.random.default_rng(2)
STREAM1 = RNG.normal(size=(MOMENTS, UNITS)) * 0.7
STREAM2 = STREAM1 + RNG.normal(size=(MOMENTS, UNITS)) * 0.5


def units_for(pairs, loss, block=True):
    return error_units(Head(1, UNITS, 2 * pairs, pairs if block else 0, float), loss)


def shown(units, program, z1, z2, team):
    units.view1.array[...], units.view2.array[...] = z1, z2
    program.run(team)
    return units.head.error.array.copy(), units.value.array.copy()


def by_hand(z1, z2, lags, past=0):
    """Errors of view 2 of the moments after ``past``, moment by moment, lag by lag."""
    low, high = MARGINS["threshold"] - MARGINS["delta"], MARGINS["threshold"] + MARGINS["delta"]
    error, value = np.zeros_like(z2), np.zeros(3)
    for now in range(past, len(z2)):
        for then in range(max(0, now - lags + 1), now + 1):
            apart = z2[now] - z1[then]
            hinge = np.abs(apart).sum() - low if then == now else high - np.abs(apart).sum()
            weight = 1 if then == now else 1 / lags
            value += [weight * max(0, hinge), hinge > 0, 1]
            error[now] += (hinge > 0) * weight * np.sign(apart) * (1 if then == now else -1)
    return error[past:], value


@pytest.mark.parametrize("kernels", [cpu, reference], ids=["cpu", "reference"])
@pytest.mark.parametrize("pairs", [1, 2, 3, 4, 6, 12])
def test_a_stream_cut_into_batches_is_the_same_stream(pairs, kernels):
    """Under the block and with the weights at rest: the same errors, loss and comparisons, whatever the batch."""
    units = units_for(pairs, make("hinge", lags=LAGS, **MARGINS))
    program = Program(Plan.alone("p", units.compare()), kernels)
    with ThreadTeam(2) as team:
        batches = [
            shown(units, program, STREAM1[i : i + pairs], STREAM2[i : i + pairs], team)
            for i in range(0, MOMENTS, pairs)
        ]
    wanted, value = by_hand(STREAM1, STREAM2, LAGS)
    np.testing.assert_allclose(np.concatenate([e for e, _ in batches]), wanted, rtol=0, atol=1e-14)
    np.testing.assert_allclose(sum(v for _, v in batches), value, rtol=1e-13)
    assert 0 < value[1] < value[2]
    assert value[2] == sum(min(LAGS, moment + 1) for moment in range(MOMENTS))  # none before the stream's beginning


@pytest.mark.parametrize("sizes", [[1, 4, 2, 5], [5, 1, 1, 5], [11, 1], [7, 5]])
def test_batches_of_changing_sizes_are_the_same_stream(sizes):
    """The same memory handed on between error units of other sizes."""
    loss, place, found = make("hinge", lags=LAGS, **MARGINS), 0, []
    with ThreadTeam(1) as team:
        for size in sizes:
            units = units_for(size, loss)
            memory = units.memory
            for moment in range(max(0, place - memory.capacity), place):
                memory.trace.array[moment % memory.capacity] = STREAM1[moment]
            memory.cursor.array[0] = place
            program = Program(Plan.alone("p", units.compare()), cpu)
            part = slice(place, place + size)
            found.append(shown(units, program, STREAM1[part], STREAM2[part], team))
            place += size
    wanted, value = by_hand(STREAM1, STREAM2, LAGS)
    np.testing.assert_allclose(np.concatenate([e for e, _ in found]), wanted, rtol=0, atol=1e-14)
    np.testing.assert_allclose(sum(v for _, v in found), value, rtol=1e-13)


def test_lags_longer_than_a_batch_reach_over_several():
    units = units_for(2, make("hinge", lags=7, **MARGINS))
    assert units.memory.capacity == 2 + 7 - 1
    program = Program(Plan.alone("p", units.compare()), cpu)
    with ThreadTeam(1) as team:
        errors = [shown(units, program, STREAM1[i : i + 2], STREAM2[i : i + 2], team)[0] for i in range(0, 12, 2)]
    np.testing.assert_allclose(np.concatenate(errors), by_hand(STREAM1, STREAM2, 7)[0], rtol=0, atol=1e-14)


def test_five_lags_are_a_positive_and_four_negatives():
    """The published trap the other way round: K counts the positive; on a long stream every moment meets K."""
    units = units_for(3, make("hinge", lags=5))
    program = Program(Plan.alone("p", units.compare()), cpu)
    with ThreadTeam(1) as team:
        values = [shown(units, program, STREAM1[:3], STREAM2[:3], team)[1] for _ in range(4)]
    assert [v[2] for v in values] == [1 + 2 + 3, 4 + 5 + 5, 15, 15]


@pytest.mark.parametrize(
    "loss",
    [
        make("hinge", lags=3, **MARGINS),
        make("hinge", lags=None, **MARGINS),
        *map(make, ("simclr", "barlow", "hinge-mean", "positive")),
    ],
    ids=["lags", "all", "simclr", "barlow", "hinge-mean", "positive"],
)
def test_the_block_takes_the_error_of_view_1_away_and_leaves_the_other(loss):
    blocked, free = units_for(6, loss), units_for(6, loss, block=False)
    with ThreadTeam(2) as team:
        (e2, v), (both, w) = (
            shown(u, Program(Plan.alone("p", u.compare()), cpu), STREAM1[:6], STREAM2[:6], team)
            for u in (blocked, free)
        )
    assert (e2.shape, both.shape) == ((6, UNITS), (12, UNITS))
    np.testing.assert_allclose(both[6:], e2, rtol=0, atol=1e-14)
    assert both[:6].any()
    np.testing.assert_allclose(v, w)
    assert blocked.error1 is None
    assert blocked.error2.base is blocked.head.error


def test_hinge_errors_of_both_views_sum_to_zero():
    """Without the block every comparison pulls view 1 as far as it pushes view 2."""
    for lags in (3, None):
        units = units_for(6, make("hinge", lags=lags, **MARGINS), block=False)
        with ThreadTeam(1) as team:
            error, _ = shown(units, Program(Plan.alone("p", units.compare()), cpu), STREAM1[:6], STREAM2[:6], team)
        np.testing.assert_allclose(error.sum(axis=0), 0, atol=1e-12)


def test_negatives_weigh_as_much_as_asked():
    """1/K unless asked otherwise; at 0 only the positives are left."""
    errors = {}
    for weight in (None, 1 / LAGS, 0.0, 1.0):
        units = units_for(12, make("hinge", lags=LAGS, negative_weight=weight, **MARGINS))
        with ThreadTeam(1) as team:
            errors[weight] = shown(units, Program(Plan.alone("p", units.compare()), cpu), STREAM1, STREAM2, team)[0]
    assert np.array_equal(errors[None], errors[1 / LAGS])
    positives = by_hand(STREAM1, STREAM2, 1)[0]
    np.testing.assert_allclose(errors[0.0], positives, atol=1e-14)
    np.testing.assert_allclose(errors[None] - positives, (errors[1.0] - positives) / LAGS, atol=1e-14)


def test_views_are_parts_of_the_head_s_activity():
    units = units_for(3, make("hinge"))
    assert np.shares_memory(units.view1.array, units.head.activity.array[:3])
    assert np.shares_memory(units.view2.array, units.head.activity.array[3:])
    assert units.index.array.tolist() == [0, 1, 2]
    assert units_for(3, make("hinge", lags=None)).memory is None
