"""Plasticity: several steps of every kind against its formula, and which kinds divide."""

import ast
import inspect

import numpy as np
import pytest
from neurosim.parts.plasticity import EQUATIONS, Plasticity

from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.kernels import cpu_plasticity, reference_plasticity
from neurosim.parts.synapse import Synapse

cpu, reference = Backend("cpu"), Backend("reference")

SHAPES = [(3, 3, 2, 4), (7, 5)]


def sgd(w, changes, rates, mu, decay, bound):
    for c, rate in zip(changes, rates, strict=True):
        w = w - rate * c - rate * decay * w
    return w


def momentum(w, changes, rates, mu, decay, bound):
    for t, rate in enumerate(rates):
        m = sum(mu ** (t - i) * changes[i] for i in range(t + 1))
        w = w - rate * m - rate * decay * w
    return w


def signum(w, changes, rates, mu, decay, bound):
    for t, rate in enumerate(rates):
        m = sum(mu ** (t - i) * changes[i] for i in range(t + 1))
        w = w - rate * bound * np.sign(m) - rate * decay * w
    return w


def adam(w, changes, rates, mu, decay, bound):
    """Kingma and Ba 2015, algorithm 1, the averages as sums; decay apart, Loshchilov and Hutter 2019."""
    for t, rate in enumerate(rates, 1):
        m = (1 - mu) * sum(mu ** (t - i) * changes[i - 1] for i in range(1, t + 1)) / (1 - mu**t)
        v = 0.001 * sum(0.999 ** (t - i) * changes[i - 1] ** 2 for i in range(1, t + 1)) / (1 - 0.999**t)
        w = w - rate * m / (np.sqrt(v) + 1e-8) - rate * decay * w
    return w


FORMULAS = {"sgd": sgd, "momentum": momentum, "signum": signum, "adam": adam}


@pytest.mark.parametrize("kernels", [cpu, reference], ids=["cpu", "reference"])
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("kind", sorted(EQUATIONS))
def test_weights_follow_the_formula_step_by_step(kind, decay, kernels):
    """Two synapses of one plasticity, traces of their own, a rate that the schedule moves."""
    rng = np.random.default_rng(0)
    plasticity = Plasticity(kind, rate=0.05, momentum=0.8, decay=decay)
    synapses = [Synapse(f"W{i}", shape, "forward weight", i, plasticity, float) for i, shape in enumerate(SHAPES)]
    start = [s.weight.array.copy() for s in synapses]
    program = Program(Plan.alone("p", [step for s in synapses for step in s.consolidate()]), kernels)
    changes, rates = [[], []], [0.05, 0.05, 0.01, 0.2, 0.03]
    with ThreadTeam(2) as team:
        for rate in rates:
            plasticity.rate.array[0] = rate
            for synapse, past in zip(synapses, changes, strict=True):
                past.append(np.round(rng.normal(size=synapse.shape), 1))  # rounded: some changes are zero
                synapse.change.array[...] = past[-1]
            program.run(team)
    for synapse, first, past in zip(synapses, start, changes, strict=True):
        bound = 1 / np.sqrt(np.prod(first.shape[:-1]))  # of the initial weights: the unit of signum's rate
        wanted = FORMULAS[kind](first, past, rates, 0.8, decay, bound)
        np.testing.assert_allclose(synapse.weight.array, wanted, rtol=1e-11, atol=1e-12)
        assert np.array_equal(synapse.change.array, past[-1])


def test_the_default_rate_is_there_at_the_first_step():
    plasticity = Plasticity("sgd", rate=0.25)
    synapse = Synapse("W1", (2, 2), "forward weight", 0, plasticity, float)
    before = synapse.weight.array.copy()
    synapse.change.array[...] = 1
    with ThreadTeam(1) as team:
        Program(Plan.alone("p", synapse.consolidate()), cpu).run(team)
    np.testing.assert_allclose(synapse.weight.array, before - 0.25, atol=1e-15)


def test_signum_s_rate_counts_in_bounds_of_the_initial_weights():
    """The smallest change moves as far as the largest; where nothing was active nothing moves."""
    synapse = Synapse("W1", (4, 3), "forward weight", 0, Plasticity("signum", rate=0.1), float)
    synapse.rescale(3.0)  # the bound, 1/sqrt(4), is now 1.5
    before = synapse.weight.array.copy()
    assert 0.75 < np.abs(before).max() <= 1.5
    synapse.change.array[0, 0] = -1e-20
    synapse.change.array[1, 1] = 1e20
    with ThreadTeam(1) as team:
        Program(Plan.alone("p", synapse.consolidate()), cpu).run(team)
    wanted = np.zeros((4, 3))
    wanted[0, 0], wanted[1, 1] = 0.15, -0.15
    np.testing.assert_allclose(synapse.weight.array - before, wanted, rtol=0, atol=1e-15)


@pytest.mark.parametrize("kind", sorted(EQUATIONS))
def test_steps_touch_one_synapse_only(kind):
    """Elementwise: reads its own change and the shared rate, updates its own weight and traces."""
    plasticity = Plasticity(kind)
    synapse = Synapse("W1", (3, 3, 2, 2), "forward weight", 0, plasticity)
    for step in synapse.consolidate():
        assert {b.base.owner for b in step.buffers.values()} <= {"W1", "plasticity"}
        assert not step.writes
        assert not step.sums
        if step.kernel.name != "tick":
            assert (step.kernel, step.over) == (kind, "synapse")
            assert step.updates["weight"].base is synapse.weight
            assert "W1" in step.equation


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "rmsprop"}, "unknown plasticity 'rmsprop'; expected one of sgd, momentum, signum, adam"),
        ({"rate": -1}, "rate -1; expected at least 0"), ({"rate": float("nan")}, "rate nan"),
        ({"rate": float("inf")}, "rate inf"), ({"momentum": 1.0}, "momentum 1.0; expected at least 0 and below 1"),
        ({"momentum": -0.1}, "momentum -0.1"), ({"decay": -0.1}, "decay -0.1; .*; change --decay"),
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, words):
    with pytest.raises(WiringError, match=words):
        Plasticity(**options)


def divisions(name, home):
    """Divisions in a kernel and in the functions of its own file that it calls."""
    tree = ast.parse(inspect.getsource(getattr(home, name)))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Div | ast.FloorDiv | ast.Mod)]
    words = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found += sorted(words & {"divide", "true_divide", "reciprocal", "floor_divide", "power", "mean", "norm", "sqrt"})
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id != name:
            called = getattr(home, node.func.id, None)
            if inspect.isfunction(called) and called.__module__ == home.__name__:
                found += divisions(node.func.id, home)
    return found


@pytest.mark.parametrize("home", [cpu_plasticity, reference_plasticity], ids=["cpu", "reference"])
def test_only_adam_divides(home):
    for name in ("sgd", "momentum", "signum", "send_sign", "push", "tick"):
        places = [d for d in divisions(name, home) if not isinstance(d, ast.Mod)]  # a ring's place is a remainder
        assert places == [], name
    assert divisions("adam", home)
