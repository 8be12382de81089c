"""What two steps would make alike is made once: which steps are left out, and that no bit changes."""

import numpy as np
import pytest

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.core.plan import Plan
from neurosim.core.step import Step
from neurosim.engine import program
from neurosim.engine.arena import Arena
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.engine.twice import made_once
from neurosim.experiment import Experiment

double = Kernel("double", reads={"x": "unit"}, writes={"y": "unit"}, scalars=("by",), over="unit")
add = Kernel("add", reads={"x": "unit"}, updates={"total": "unit"}, over="unit")
double.origin = add.origin = "neurosim.of_this_test"  # only the package's kernels are known to depend on nothing else


@double.cpu
def _(x, y, *, by):
    np.multiply(x, by, out=y)


@add.cpu
def _(x, total):
    total += x


def buffer(name, role="change", **more):
    return Buffer(name, ("unit",), (6,), role, name, float, **more)


def plan(between=None, by=(2.0, 2.0), kernels=(double, double)):
    """``a = 2 x; b = 2 x; total = total + a; total = total + b``."""
    x, total = buffer("x", given=True), buffer("total", "memory", lasts=True)
    a, b = buffer("a"), buffer("b")
    steps = [Step(kernels[0], "a", "", {"x": x, "y": a}, {"by": by[0]}, "unit")]
    if between:
        steps.append(Step(add, "between", "", {"x": total, "total": {"x": x, "a": a}[between]}, over="unit"))
    steps += [Step(kernels[1], "b", "", {"x": x, "y": b}, {"by": by[1]}, "unit")]
    steps += [Step(add, "adds", "", {"x": each, "total": total}, over="unit") for each in (a, b)]
    return Plan("test", steps, [total]), {"x": x, "total": total, "a": a, "b": b}


def left_out(made, buffers, unseen="ab"):
    runs, same = made_once([list(made)], [buffers[name] for name in unseen])
    return [step.label for step in made if step not in runs[0]], same


def test_the_second_of_two_is_left_out():
    made, buffers = plan()
    labels, same = left_out(made, buffers)
    assert labels == ["b"]
    assert same == {id(buffers["b"]): buffers["a"]}


@pytest.mark.parametrize("unseen", ["", "a"])
def test_what_somebody_looks_at_is_made(unseen):
    made, buffers = plan()
    assert left_out(made, buffers, unseen) == ([], {})


@pytest.mark.parametrize("between", ["x", "a"])
def test_not_where_something_changed_in_between(between):
    assert left_out(*plan(between)) == ([], {})


def test_not_with_other_numbers():
    assert left_out(*plan(by=(2.0, 3.0))) == ([], {})


def test_not_by_somebody_elses_kernel():
    """It may depend on more than it declares."""
    other = Kernel("double", reads={"x": "unit"}, writes={"y": "unit"}, scalars=("by",), over="unit")
    other.cpu(double.form("cpu"))
    assert left_out(*plan(kernels=(other, other))) == ([], {})


@pytest.mark.parametrize("arena", [None, Arena()])
def test_the_plan_gives_what_it_says(arena):
    made, buffers = plan()
    with ThreadTeam(2) as team:
        bound = Program(made, program.Backend("cpu"), arena=arena)
        buffers["x"].put(np.arange(6.0))
        for _ in range(3):
            bound.run(team)
    assert buffers["total"].array.tolist() == [12.0 * x for x in range(6)]


def test_the_place_of_a_result_lasts_as_long_as_its_twin_is_read():
    x, total = buffer("x", given=True), buffer("total", "memory", lasts=True)
    a, b, c = buffer("a"), buffer("b"), buffer("c")
    steps = [Step(double, y.name, "", {"x": x, "y": y}, {"by": 2.0}, "unit") for y in (a, b)]
    steps += [Step(add, "adds a", "", {"x": a, "total": total}, over="unit")]
    steps += [Step(double, "c", "", {"x": x, "y": c}, {"by": 3.0})]  # uncut: what went before has ended
    steps += [Step(add, f"adds {each}", "", {"x": each, "total": total}) for each in (c, b)]
    with ThreadTeam(1) as team:
        bound = Program(Plan("test", steps, [total]), program.Backend("cpu"), arena=Arena())
        x.put(np.arange(6.0))
        bound.run(team)
    assert total.array.tolist() == [7.0 * number for number in range(6)]


def trained(**options):
    experiment = Experiment(rule="ll", images=48, epochs=1, batch=8, network="4 pool, 4 pool", data="toys", **options)
    with ThreadTeam(1) as team:
        experiment.trainer.train(team)
    return {name: array.copy() for name, array in experiment.model.state().items()}


@pytest.mark.parametrize("plasticity", ["adam", "signum", "ladder"])
def test_feedback_that_learns_ends_with_the_same_bits(monkeypatch, plasticity):
    counts = []

    def counted(runs, passing):
        found = made_once(runs, passing)
        counts.append(sum(map(len, runs)) - sum(map(len, found[0])))
        return found

    monkeypatch.setattr(program, "made_once", counted)
    once = trained(plasticity=plasticity)
    assert max(counts) == 2  # F1 and F2 sum what H1 and H2 sum
    monkeypatch.setattr(program, "made_once", lambda runs, passing: (runs, {}))
    twice = trained(plasticity=plasticity)
    assert once.keys() == twice.keys()
    for name, array in once.items():
        np.testing.assert_array_equal(array, twice[name], err_msg=name)
