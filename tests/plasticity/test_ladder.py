"""Ladder: its forms, its steps against a formula by logarithms, and that nothing in it divides."""

import ast
import inspect
import textwrap

import numpy as np
import pytest
from forms import Forms

from neurosim.audit.operations import categories as C
from neurosim.audit.operations.ledger import ledger
from neurosim.core.plan import Plan
from neurosim.core.roles import Role
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.kernels.devices import backend
from neurosim.parts.synapse import Synapse
from neurosim.plasticity import find, make, options
from neurosim.plasticity.ladder import Ladder, ladder

RNG = np.random.default_rng(5)


class TestForms(Forms):
    @staticmethod
    def cases():
        for rungs in (1, 2, 5, 7):
            more = {"momentum": 0.9, "slow": 0.99, "whole": 10.0, "rungs": rungs, "bound": 0.2}
            more |= {"decay": 0.1, "rate": np.array([0.03])}
            size = np.exp2(RNG.uniform(-2, 2, 200))
            trace = RNG.choice([-1, 1], 200) * 10 * size * np.exp2(RNG.uniform(-8, 1, 200))
            trace[:9], size[:3] = 0, 0
            change = RNG.normal(size=200)
            change[:6] = 0
            given = {"change": change, "weight": RNG.normal(size=200), "trace": trace, "size": size}
            yield ladder, {**given, **more}, ["weight", "trace", "size"]


def trained(plasticity, changes, device="cpu", rates=None):
    """The weights of a synapse array before and after some changes."""
    synapse = Synapse("W1", changes[0].shape, Role.FORWARD_WEIGHT, [1], plasticity, float)
    synapse.change.given = True
    before = synapse.weight.array.copy()
    program = Program(Plan("p", synapse.consolidate(), [synapse.weight]), backend(device))
    with ThreadTeam(2) as team:
        for t, change in enumerate(changes):
            if rates is not None:
                plasticity.rate.array[0] = rates[t]
            synapse.change.array[...] = change
            program.run(team)
    return before, synapse.weight.array


def formula(w, changes, rates, mu, nu, rungs, decay, bound):
    """The ratio of both traces to the next power of two, at most 1, by its logarithm; under the last rung nothing."""
    for t, rate in enumerate(rates):
        m = sum(mu ** (t - i) * changes[i] for i in range(t + 1))
        s = np.max([nu ** (t - i) * abs(changes[i]) for i in range(t + 1)], axis=0)
        ratio = np.divide((1 - mu) * abs(m), s, out=np.zeros_like(m), where=s > 0)
        up = np.exp2(np.ceil(np.log2(np.where(ratio > 0, ratio, 1))))
        step = np.where(ratio > 2.0**-rungs, np.minimum(up, 1), 0)
        w = w - rate * bound * np.sign(m) * step - rate * decay * w
    return w


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize("rungs", [1, 3, 5])
def test_weights_follow_the_formula(rungs, device):
    changes = [RNG.normal(size=(3, 3, 4, 5)) * np.exp2(RNG.integers(-6, 6, (3, 3, 4, 5))) for _ in range(8)]
    changes[2][:, 0] = 0
    rates = [0.05, 0.05, 0.01, 0.2, 0.03, 0.03, 0.1, 0.02]
    before, after = trained(Ladder(momentum=0.8, slow=0.95, rungs=rungs, decay=0.3), changes, device, rates)
    np.testing.assert_allclose(
        after, formula(before, changes, rates, 0.8, 0.95, rungs, 0.3, 1 / 6), rtol=1e-11, atol=1e-12
    )


def test_changes_that_agree_move_a_weight_by_whole_steps_and_changes_that_cancel_hardly():
    change = np.full((4, 3), 7.0)
    before, after = trained(Ladder(rate=0.1), [change] * 40)
    # m' = 0.1, 0.19, 0.27, ... of c: 1/8, 1/4, 1/2, 1/2, 1/2, 1/2, then whole steps, in bounds of 1/2.
    np.testing.assert_allclose(after - before, np.full((4, 3), -0.05 * (1 / 8 + 1 / 4 + 4 / 2 + 34)), rtol=1e-12)
    before, after = trained(Ladder(rate=0.1), [change * (-1) ** t for t in range(40)])
    assert abs(after - before).max() < 0.05  # one whole step


def test_the_size_of_changes_does_not_matter():
    changes = [RNG.normal(size=(4, 4)) for _ in range(20)]
    (_, small), (_, large) = (trained(Ladder(), [scale * c for c in changes]) for scale in (2.0**-40, 2.0**40))
    assert np.array_equal(small, large)


def test_without_changes_nothing_moves():
    before, after = trained(Ladder(rate=0.5), [np.zeros((2, 2))] * 3)
    assert np.array_equal(before, after)


def test_the_ledger_has_additions_comparisons_and_constants_alone():
    synapse = Synapse("W1", (3, 3, 2, 2), Role.FORWARD_WEIGHT, [0], Ladder())
    (step,) = synapse.consolidate()
    found = ledger(step)
    assert (found.verdict, found.forbidden, found.assumed, found.undecided) == ("simple", [], [], [])
    assert set(found.counts) <= C.SIMPLE
    assert {b.base.owner for b in step.buffers.values()} <= {"W1", "plasticity"} and step.over == "synapse"


@pytest.mark.parametrize("where", ["reference", "cpu"])
def test_no_form_divides(where):
    tree = ast.parse(textwrap.dedent(inspect.getsource(ladder.form(where))))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Div | ast.FloorDiv | ast.Mod)]
    assert not {"divide", "reciprocal", "sqrt", "power"} & {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


def test_it_is_found_by_name_with_its_options():
    assert find("ladder") is Ladder
    assert options("ladder").keys() == {"rate", "momentum", "slow", "rungs", "decay"}
    for wrong in ({"rungs": 0}, {"rungs": 8}, {"slow": 1.0}, {"momentum": 1.0}):
        with pytest.raises(WiringError, match=r"expected a (whole )?number"):
            make("ladder", **wrong)
