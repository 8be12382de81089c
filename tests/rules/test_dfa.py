"""dfa: every layer's factor is the top error through weights of its own, whatever the forward weights are."""

import numpy as np
import pytest

from neurosim.audit import checks
from neurosim.core.backend import Backend
from neurosim.plasticity.momentum import Momentum

SLOPES = {1: lambda x: np.abs(x) < 1, 3: lambda x: 1 - x * x}  # hardtanh, tanh


@pytest.mark.parametrize("block", [True, False], ids=["block", "free"])
def test_the_error_goes_straight_to_every_layer(build, show, run, block):
    rule = build("dfa", block=block)
    show(rule)
    run(rule)
    start = 3 if block else 0
    error = rule.head.post.error.array
    for number, slope in SLOPES.items():
        layer = rule.network.populations[number]
        direct = rule.feedbacks[number - 1].synapse.weight.array
        assert direct.shape == (layer.size, 5) and rule.feedbacks[number - 1].synapse.name == f"D{number}"
        wanted = (error @ direct.T).reshape(-1, *layer.shape) * slope(layer.activity.array[start:])
        np.testing.assert_allclose(layer.post.array, wanted, rtol=1e-12, atol=1e-12)


def test_no_forward_weight_above_changes_what_a_layer_learns(build, show, run):
    one, other = build("dfa"), build("dfa")
    for rule in (one, other):
        show(rule)
    run(one)
    kept = one.network.projections[0].synapse.change.array.copy()
    for a, b in zip(one.feedbacks, other.feedbacks, strict=True):  # drawn by the seed, and never changed
        assert np.array_equal(a.synapse.weight.array, b.synapse.weight.array)
    run(other)
    assert np.array_equal(other.network.projections[0].synapse.change.array, kept)
    assert all(feedback.synapse.plasticity is None for feedback in one.feedbacks)


def test_the_whole_plan_agrees_with_the_naive_kernels(build, show, run):
    fast, naive = (build("dfa", pairs=2, units=3, plasticity=Momentum(0.01)) for _ in range(2))
    for rule in (fast, naive):
        show(rule)
    found, wanted = run(fast, threads=2), run(naive, kernels=Backend("reference"))
    for a, b in zip(found.buffers, wanted.buffers, strict=True):
        np.testing.assert_allclose(a.array, b.array, rtol=1e-10, atol=1e-11, err_msg=a.name)


def test_it_says_how_it_is_wired_and_is_plausible(build):
    rule = build("dfa")
    assert len(rule.wiring()) == 3 and rule.wiring()[0].startswith("D1: ez3 -> layer 1 (direct: Straight")
    assert checks.check("dfa").plausible
