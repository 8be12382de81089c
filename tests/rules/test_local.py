"""Untied layers: with equal weights they do what shared ones do, and their changes add up to the shared change."""

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.parts.synapse import LOCAL
from neurosim.plasticity.momentum import Momentum
from neurosim.plasticity.sgd import SGD
from neurosim.plasticity.signum import Signum

cpu, reference = Backend("cpu"), Backend("reference")

TIED = "3 hardtanh, 4 pool, 5 tanh"
UNTIED = "3 local hardtanh, 4 local pool, 5 local tanh"
MIXED = "3 hardtanh, 4 local pool, 5 tanh"
WIRINGS = [
    *((kind, {}) for kind in ("bp", "rf", "urf", "sign")),
    *(("ll", {"feedback": kind}) for kind in ("bp", "rf", "urf", "sign")),
    ("ll", {"order": "greedy"}),
]
IDS = ["-".join([name, *options.values()]) for name, options in WIRINGS]


def untie(rule, tied):
    """Every weight array of ``rule`` set to that of ``tied``, one copy a place where it is untied; unlike B scales."""
    for mine, shared in zip(rule.synapses(), tied.synapses(), strict=True):
        assert mine.name == shared.name
        mine.weight.array[...] = shared.weight.array


def folded(array, like):
    """Summed over places where it is untied."""
    return array.sum(axis=(0, 1)) if array.ndim == 6 and like.ndim == 4 else array


@pytest.mark.parametrize("block", [True, False], ids=["block", "free"])
@pytest.mark.parametrize("text", [UNTIED, MIXED], ids=["all", "one"])
@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=IDS)
def test_untied_equals_tied_when_its_weights_are_equal(build, show, run, name, options, text, block):
    tied, rule = (build(name, text=layers, block=block, **options) for layers in (TIED, text))
    assert [s.axes is LOCAL for s in rule.synapses()].count(True) >= 1
    untie(rule, tied)
    for phase in tied.phases:
        for one in (tied, rule):
            show(one)
        wanted = {b.name: b.array for b in run(tied, phase).buffers}
        found = {b.name: b.array for b in run(rule, phase, threads=2).buffers if not b.name.startswith("rows ")}
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            mine = folded(found[key], value) if key.startswith("d") else found[key]
            if key.startswith("sign("):
                value = np.broadcast_to(value, mine.shape)
            if mine.shape == value.shape:
                np.testing.assert_allclose(mine, value, rtol=0, atol=1e-11 * max(1, np.abs(value).max()), err_msg=key)
            else:
                assert mine.shape[2:] == value.shape and np.array_equal(mine, np.broadcast_to(value, mine.shape)), key


@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=IDS)
def test_whole_plan_agrees_with_the_naive_kernels(build, show, run, name, options):
    text = "2 local hardtanh, 3 local tanh pool"
    fast, naive = (build(name, text=text, pairs=2, units=3, plasticity=Momentum(0.01), **options) for _ in range(2))
    for phase in fast.phases:
        for rule in (fast, naive):
            show(rule)
        found, wanted = run(fast, phase, cpu, threads=2), run(naive, phase, reference)
        for a, b in zip(found.buffers, wanted.buffers, strict=True):
            np.testing.assert_allclose(a.array, b.array, rtol=1e-10, atol=1e-11, err_msg=a.name)


def test_places_share_nothing(build, show, run):
    """Changed weights of one place change the activity of that place and no other; its change depends on it alone."""
    one, other = (build("rf", text="4 local tanh", plasticity=SGD(0.0)) for _ in range(2))
    other.network.projections[0].synapse.weight.array[1, 2] += 0.5
    for rule in (one, other):
        show(rule)
        run(rule)
    moved = (one.network.populations[1].activity.array != other.network.populations[1].activity.array).any(axis=(0, 3))
    assert np.argwhere(moved).tolist() == [[1, 2]]


def test_untied_changes_are_the_derivatives_of_the_loss(build, show, run):
    """Central differences of bp's loss by some weights of every place's own."""
    rule = build("bp", text="2 local tanh, 3 local tanh", block=False, pairs=2)
    show(rule)
    plan = run(rule)
    for projection in rule.network.projections:
        weight, change = projection.synapse.weight.array, projection.synapse.change.array.copy()
        rng = np.random.default_rng(0)
        for _ in range(6):
            place, values = tuple(rng.integers(0, n) for n in weight.shape), []
            for step in (1e-6, -1e-6):
                weight[place] += step
                values.append(loss(rule, plan))
                weight[place] -= step
            assert (values[0] - values[1]) / 2e-6 == pytest.approx(change[place], abs=1e-6)


def loss(rule, plan):
    with ThreadTeam(1) as team:
        Program(plan, cpu, hold=True).run(team)
    return float(rule.error.value.array[0])


def test_a_place_has_its_own_fan_in_and_threads_change_no_bits(build, show, run):
    rules = [build("ll", text=UNTIED, plasticity=Signum(0.01)) for _ in range(2)]
    synapse = rules[0].network.projections[1].synapse
    assert (synapse.shape, synapse.fan_in, synapse.bound) == ((4, 4, 3, 3, 3, 4), 27, 27**-0.5)
    for rule, threads in zip(rules, (1, 3), strict=True):
        for batch in range(3):
            show(rule, batch)
            run(rule, threads=threads)
    for one, other in zip(*(rule.synapses() for rule in rules), strict=True):
        assert one.weight.array.tobytes() == other.weight.array.tobytes()
