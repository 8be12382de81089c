"""Plasticity: several steps of every kind against its formula, and which kinds divide."""

import ast
import inspect

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.parts.feedback import send_sign
from neurosim.parts.memory import push
from neurosim.parts.synapse import Synapse
from neurosim.plasticity import available, make, options
from neurosim.plasticity.adam import adam as adam_kernel
from neurosim.plasticity.adam import tick
from neurosim.plasticity.base import Plasticity
from neurosim.plasticity.momentum import momentum as momentum_kernel
from neurosim.plasticity.sgd import sgd as sgd_kernel
from neurosim.plasticity.signum import signum as signum_kernel

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
KINDS = sorted(available())


def made(kind, **given):
    """A plasticity with those of the options given that it has."""
    return make(kind, **{name: value for name, value in given.items() if name in options(kind)})


def test_every_kind_has_a_formula_here_a_name_and_a_summary():
    assert FORMULAS.keys() == available().keys()
    for name, kind in available().items():
        assert issubclass(kind, Plasticity) and kind.name == name and kind.summary


@pytest.mark.parametrize("kernels", [cpu, reference], ids=["cpu", "reference"])
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("kind", KINDS)
def test_weights_follow_the_formula_step_by_step(kind, decay, kernels):
    """Two synapses of one plasticity, traces of their own, a rate that the schedule moves."""
    rng = np.random.default_rng(0)
    plasticity = made(kind, rate=0.05, momentum=0.8, decay=decay)
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
    plasticity = make("sgd", rate=0.25)
    synapse = Synapse("W1", (2, 2), "forward weight", 0, plasticity, float)
    before = synapse.weight.array.copy()
    synapse.change.array[...] = 1
    with ThreadTeam(1) as team:
        Program(Plan.alone("p", synapse.consolidate()), cpu).run(team)
    np.testing.assert_allclose(synapse.weight.array, before - 0.25, atol=1e-15)


def test_signum_s_rate_counts_in_bounds_of_the_initial_weights():
    """The smallest change moves as far as the largest; where nothing was active nothing moves."""
    synapse = Synapse("W1", (4, 3), "forward weight", 0, make("signum", rate=0.1), float)
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


@pytest.mark.parametrize("kind", KINDS)
def test_steps_touch_one_synapse_only(kind):
    """Elementwise: reads its own change and the shared rate, updates its own weight and traces."""
    plasticity = make(kind)
    synapse = Synapse("W1", (3, 3, 2, 2), "forward weight", 0, plasticity)
    for step in synapse.consolidate():
        assert {b.base.owner for b in step.buffers.values()} <= {"W1", "plasticity"}
        assert not step.writes
        assert not step.sums
        if step.kernel.name != "tick":
            assert (step.kernel.name, step.over) == (kind, "synapse")
            assert step.updates["weight"].base is synapse.weight
            assert "W1" in step.equation


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("rate", -1, "rate=-1; expected a number of at least 0; write rate=0.001"),
        ("rate", float("nan"), "rate=nan"),
        ("rate", float("inf"), "rate=inf"),
        ("momentum", 1.0, "momentum=1; expected a number of at least 0 and below 1"),
        ("momentum", -0.1, "momentum=-0.1"),
        ("decay", -0.1, "decay=-0.1; .*; write decay=0"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_options_out_of_range_are_refused(kind, name, value, words):
    refused = words if name in options(kind) else f"plasticity {kind} has no option {name}"
    with pytest.raises(WiringError, match=refused):
        make(kind, **{name: value})


def test_an_unknown_kind_lists_the_known():
    with pytest.raises(WiringError, match="unknown plasticity 'rmsprop'; expected one of adam, momentum, sgd, signum"):
        make("rmsprop")


def divisions(form):
    """Divisions in a form of a kernel and in the functions of the package that it calls."""
    tree = ast.parse(inspect.getsource(form))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Div | ast.FloorDiv | ast.Mod)]
    words = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found += sorted(words & {"divide", "true_divide", "reciprocal", "floor_divide", "power", "mean", "norm", "sqrt"})
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = form.__globals__.get(node.func.id)
            if inspect.isfunction(called) and called is not form and called.__module__.startswith("neurosim."):
                found += divisions(called)
    return found


@pytest.mark.parametrize("where", ["cpu", "reference"])
def test_only_adam_divides(where):
    for kernel in (sgd_kernel, momentum_kernel, signum_kernel, send_sign, push, tick):
        found = divisions(kernel.form(where))
        places = [d for d in found if not isinstance(d, ast.Mod)]  # a ring's place is a remainder
        assert places == [], kernel
    assert divisions(adam_kernel.form(where))
