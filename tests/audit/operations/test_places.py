"""What each place may do: counts at the error units, plasticity, outer products, gates."""

import numpy as np
import pytest
from ledgers import compare, kinds, steps
from own_kernels import named

from neurosim.audit.operations import categories as C
from neurosim.audit.operations.ledger import ledger

# Counts, and what may be done with them ---------------------------------------------------------------------------------


def mean_of_active(view1, view2, error2, value, error1=None):
    apart = view2 - view1
    active = np.flatnonzero(np.abs(apart).sum(axis=1) > 1)
    error2[active] = np.sign(apart[active]) / len(active)


def counted_by_branches(view1, view2, error2, value, error1=None):
    apart, active = view2 - view1, 1
    for distance in np.abs(apart).sum(axis=1):
        if distance > 1:
            active += 1
    error2[...] = np.sign(apart) * (1 / active)


@pytest.mark.parametrize("mutant", [mean_of_active, counted_by_branches])
def test_a_division_by_a_count_remains_assumed(mutant):
    found = ledger(compare(pairs=9), mutant)
    assert found.verdict == "simple"
    assert kinds(found.assumed) <= {C.BY_COUNT, C.TIMES_COUNT}
    assert found.assumed


def loss_by_any_means(view1, view2, error2, value, error1=None):
    apart = view2 - view1
    np.sign(apart, out=error2)
    value[0] += np.sqrt((apart * apart).sum()) / np.linalg.norm(view1)


def test_the_reported_loss_may_be_worked_out_in_any_way():
    found = ledger(compare(), loss_by_any_means)
    assert found.verdict == "simple"
    assert {C.ROOT, C.DIVIDE, C.PRODUCT, C.NORM} <= set(found.reported)


def error_by_the_loss(view1, view2, error2, value, error1=None):
    loss_by_any_means(view1, view2, error2, value)
    error2 -= value[0]


def test_a_loss_that_comes_back_into_the_error_is_judged():
    assert ledger(compare(), error_by_the_loss).verdict == "violated"


def slow_but_simple(view1, view2, error2, value, error1=None):
    for i in range(len(view1)):
        if np.abs(view2[i] - view1[i]).sum() > 1:
            error2[i] = np.where(view2[i] > view1[i], 0.25, -0.25) + np.maximum(view1[i], view2[i]) / 4
        else:
            error2[i] = 0
    error1[...] = -error2


def test_other_simple_arithmetic_raises_no_alarm():
    found = ledger(compare(block=False), slow_but_simple)
    assert (found.verdict, found.assumed) == ("simple", [])


# Plasticity and outer products ------------------------------------------------------------------------------------------


def normalised_weights(change, weight, rate, *, decay):
    weight -= rate[0] * change
    weight /= np.sqrt((weight * weight).sum())


def multiplied_weights(change, weight, rate, *, decay):
    weight -= rate[0] * change * weight


def shared_weights(change, weight, rate, *, decay):
    weight -= rate[0] * (change - change.mean())


@pytest.mark.parametrize(
    ("mutant", "kind"),
    [(normalised_weights, C.ACROSS), (shared_weights, C.ACROSS)],
)
def test_plasticity_that_is_not_its_own_synapse_s(mutant, kind):
    step = next(s for s in steps(plasticity="sgd") if named(s, "sgd"))
    found = ledger(step, mutant)
    assert found.verdict == "violated"
    assert kind in kinds(found.forbidden)


def test_a_synapse_s_own_numbers_may_be_multiplied():
    """As in Oja's rule: the decay of a weight by itself."""
    found = ledger(next(s for s in steps(plasticity="sgd") if named(s, "sgd")), multiplied_weights)
    assert found.verdict == "simple" and kinds(found.assumed) == {C.OTHER_PRODUCT}


def divided_outer(pre, post, change):
    change[...] = pre.T @ post / np.abs(pre).sum()


def pre_with_itself(pre, post, change):
    change[...] = (pre.T @ pre)[:, :1] + post.sum(axis=0)


def three_factors(pre, post, change):
    change[...] = pre.T @ (post * post)


@pytest.mark.parametrize(
    ("mutant", "kind"), [(divided_outer, C.DIVIDE), (pre_with_itself, C.INNER), (three_factors, C.PRODUCT)]
)
def test_only_presynaptic_times_postsynaptic_is_an_outer_product(mutant, kind):
    step = next(s for s in steps() if named(s, "hebbian_dense"))
    found = ledger(step, mutant)
    assert kind in kinds(found.forbidden)


# Gates ------------------------------------------------------------------------------------------------------------------


def soft_gate(activity, error, post, *, nonlinearity):
    """The slope of a rectifier: an error passes where the unit is active."""
    np.multiply(error, np.maximum(activity, 0) > 0, out=post)


def tanh_gate(activity, error, post, *, nonlinearity):
    post[...] = error * (1 - activity**2)


def multiplying_gate(activity, error, post, *, nonlinearity):
    post[...] = error * activity


def slow_multiplying_gate(activity, error, post, *, nonlinearity):
    for index in np.ndindex(activity.shape):
        post[index] = error[index] * activity[index]


def dividing_gate(activity, error, post, *, nonlinearity):
    post[...] = error / np.linalg.norm(error)


@pytest.mark.parametrize("text", ["3 hardtanh, 4 pool", "3 tanh, 4 pool"])
@pytest.mark.parametrize(
    ("mutant", "verdict"),
    [
        (soft_gate, "simple"),
        (tanh_gate, "simple"),
        (multiplying_gate, "violated"),
        (slow_multiplying_gate, "violated"),
        (dividing_gate, "violated"),
    ],
)
def test_a_gate_may_multiply_by_a_slope_and_by_nothing_else(mutant, verdict, text):
    step = next(s for s in steps(text=text) if named(s, "gate"))
    assert ledger(step, mutant).verdict == verdict
