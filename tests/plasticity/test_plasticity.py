"""Plasticity: several steps of every kind against its formula, and which kinds divide."""

import ast
import inspect
import textwrap

import numpy as np
import pytest

from neurosim.core.buffer import Buffer
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import ShapeError, WiringError
from neurosim.kernels.devices import backend
from neurosim.parts.feedback import send_sign
from neurosim.parts.memory import push
from neurosim.parts.synapse import Synapse
from neurosim.plasticity import available, find, make, options
from neurosim.plasticity.adam import adam, tick
from neurosim.plasticity.base import Plasticity
from neurosim.plasticity.momentum import momentum
from neurosim.plasticity.sgd import SGD, sgd
from neurosim.plasticity.signum import Signum, signum

SHAPES = [(3, 3, 2, 4), (7, 5)]
KINDS = ["adam", "momentum", "sgd", "signum"]
KERNELS = {"adam": adam, "momentum": momentum, "sgd": sgd, "signum": signum}


def sgd_formula(w, changes, rates, mu, decay, bound):
    for c, rate in zip(changes, rates, strict=True):
        w = w - rate * c - rate * decay * w
    return w


def momentum_formula(w, changes, rates, mu, decay, bound):
    for t, rate in enumerate(rates):
        m = sum(mu ** (t - i) * changes[i] for i in range(t + 1))
        w = w - rate * m - rate * decay * w
    return w


def signum_formula(w, changes, rates, mu, decay, bound):
    for t, rate in enumerate(rates):
        m = sum(mu ** (t - i) * changes[i] for i in range(t + 1))
        w = w - rate * bound * np.sign(m) - rate * decay * w
    return w


def adam_formula(w, changes, rates, mu, decay, bound):
    """Kingma and Ba 2015, algorithm 1, the averages as sums; decay apart, Loshchilov and Hutter 2019."""
    for t, rate in enumerate(rates, 1):
        m = (1 - mu) * sum(mu ** (t - i) * changes[i - 1] for i in range(1, t + 1)) / (1 - mu**t)
        v = 0.001 * sum(0.999 ** (t - i) * changes[i - 1] ** 2 for i in range(1, t + 1)) / (1 - 0.999**t)
        w = w - rate * m / (np.sqrt(v) + 1e-8) - rate * decay * w
    return w


FORMULAS = {"sgd": sgd_formula, "momentum": momentum_formula, "signum": signum_formula, "adam": adam_formula}


def learner(plasticity, shape, number=1):
    """A synapse whose change is set from outside."""
    synapse = Synapse(f"W{number}", shape, "forward weight", [number], plasticity, float)
    synapse.change.given = True
    return synapse


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("kind", KINDS)
def test_weights_follow_the_formula_step_by_step(kind, decay, device):
    """Two synapses of one plasticity, traces of their own, a rate that the schedule moves."""
    rng = np.random.default_rng(0)
    more = {} if kind == "sgd" else {"momentum": 0.8}
    plasticity = make(kind, rate=0.05, decay=decay, **more)
    synapses = [learner(plasticity, shape, i) for i, shape in enumerate(SHAPES)]
    start = [s.weight.array.copy() for s in synapses]
    program = Program(
        Plan("p", [step for s in synapses for step in s.consolidate()], [s.weight for s in synapses]), backend(device)
    )
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
    plasticity = SGD(rate=0.25)
    synapse = learner(plasticity, (2, 2))
    before = synapse.weight.array.copy()
    synapse.change.array[...] = 1
    with ThreadTeam(1) as team:
        Program(Plan("p", synapse.consolidate()), backend("cpu")).run(team)
    np.testing.assert_allclose(synapse.weight.array, before - 0.25, atol=1e-15)


def test_signum_s_rate_counts_in_bounds_of_the_initial_weights():
    """The smallest change moves as far as the largest; where nothing was active nothing moves."""
    synapse = learner(Signum(rate=0.1), (4, 3))
    synapse.rescale(3.0)  # the bound, 1/sqrt(4), is now 1.5
    before = synapse.weight.array.copy()
    assert 0.75 < np.abs(before).max() <= 1.5
    synapse.change.array[0, 0] = -1e-20
    synapse.change.array[1, 1] = 1e20
    with ThreadTeam(1) as team:
        Program(Plan("p", synapse.consolidate()), backend("cpu")).run(team)
    wanted = np.zeros((4, 3))
    wanted[0, 0], wanted[1, 1] = 0.15, -0.15
    np.testing.assert_allclose(synapse.weight.array - before, wanted, rtol=0, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_touch_one_synapse_only(kind):
    """Elementwise: reads its own change and the shared rate, updates its own weight and traces."""
    plasticity = make(kind)
    synapse = Synapse("W1", (3, 3, 2, 2), "forward weight", [0], plasticity)
    for step in synapse.consolidate():
        assert {b.base.owner for b in step.buffers.values()} <= {"W1", "plasticity"}
        assert not step.writes
        assert not step.sums
        if step.kernel is not tick:
            assert (step.kernel, step.over) == (KERNELS[kind], "synapse")
            assert step.updates["weight"].base is synapse.weight
            assert "W1" in step.equation


def test_every_kind_is_found_by_name():
    assert set(available()) >= set(KINDS)
    assert find("signum") is Signum
    assert options("sgd").keys() == {"rate", "decay"}
    assert options("signum").keys() == options("adam").keys() == {"rate", "momentum", "decay"}
    for name, kind in available().items():
        assert kind.name == name and kind.summary
    with pytest.raises(WiringError, match=r"unknown plasticity 'rmsprop'; expected one of adam, .*momentum, .*signum"):
        make("rmsprop")
    with pytest.raises(WiringError, match="plasticity sgd has no option momentum"):
        make("sgd", momentum=0.5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rate": -1}, "rate=-1; expected a number of at least 0"),
        ({"rate": float("nan")}, "rate=nan"),
        ({"rate": float("inf")}, "rate=inf"),
        ({"momentum": 1.0}, "momentum=1; expected a number of at least 0 and below 1; write momentum=0.9"),
        ({"momentum": -0.1}, "momentum=-0.1"),
        ({"decay": -0.1}, "decay=-0.1; .*; write decay=0"),
    ],
)
def test_numbers_out_of_range_are_refused(given, words):
    for making in (lambda: make("signum", **given), lambda: Signum(**given)):
        with pytest.raises(WiringError, match=words):
            making()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_plasticity_with_a_rate_of_its_own(kind):
    first = make(kind, rate=0.1, decay=0.2)
    second = first.with_rate(0.5, "inverse rate")
    assert type(second) is type(first) and second.decay == 0.2
    assert (first.base_rate, second.base_rate) == (0.1, 0.5)
    assert (first.rate.name, second.rate.name) == ("rate", "inverse rate")
    second.rate.array[0] = 0
    assert first.rate.array[0] == 0.1


def test_a_plasticity_of_one_s_own_is_a_class_with_steps():
    class Still(Plasticity):
        """Nothing changes."""

    synapse = Synapse("W1", (2, 2), "forward weight", [0], Still(), float)
    assert synapse.state == {}
    with pytest.raises(TypeError, match="Still has no steps"):
        list(synapse.consolidate())


def divisions(form):
    """Divisions in a form and in the functions of the package that it calls."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(form)))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Div | ast.FloorDiv | ast.Mod)]
    words = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found += sorted(words & {"divide", "true_divide", "reciprocal", "floor_divide", "power", "mean", "norm", "sqrt"})
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = form.__globals__.get(node.func.id)
            if inspect.isfunction(called) and called.__module__.startswith("neurosim."):
                found += divisions(called)
    return found


@pytest.mark.parametrize("where", ["cpu", "reference"])
def test_only_adam_divides(where):
    for kernel in (sgd, momentum, signum, send_sign, push, tick):
        places = [
            d for d in divisions(kernel.form(where)) if not isinstance(d, ast.Mod)
        ]  # a ring's place is a remainder
        assert places == [], kernel
    assert divisions(adam.form(where))


@pytest.mark.parametrize("kernel", [*KERNELS.values(), tick], ids=str)
def test_what_steps_give_is_what_kernels_declare(kernel):
    assert all(kernel.has(where) for where in ("reference", "cpu", "gpu"))
    assert kernel.over == (() if kernel is tick else ("synapse",))
    sizes = {"rate": 1, "count": 1}
    arrays = {name: Buffer(name, ("synapse",), (sizes.get(name, 7),), "value", "test") for name in kernel.arguments}
    wrong = {name: array for name, array in arrays.items() if name in sizes}
    types = {"rate": np.float64, "count": np.int64}
    right = {name: Buffer(name, ("one",), (1,), "value", "test", types[name]) for name in wrong}
    scalars = dict.fromkeys(kernel.scalars, 0.5)
    assert kernel.fit("a step", {**arrays, **right}, scalars, None) == ({} if kernel is tick else {"synapse": 7})
    for name in wrong:
        with pytest.raises(ShapeError, match=f"is given {name} of float32"):
            kernel.fit("a step", {**arrays, **right, name: wrong[name]}, scalars, None)
    for name in arrays.keys() - sizes:
        longer = Buffer(name, ("synapse",), (8,), "value", "test")
        with pytest.raises(ShapeError):
            kernel.fit("a step", {**arrays, **right, name: longer}, scalars, None)
