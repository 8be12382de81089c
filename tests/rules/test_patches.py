"""Rules with the errors that compare patches: changes against central differences, fences around steps, fixed bits."""

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.kernels.patches import hebbian_prediction
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.plasticity.momentum import Momentum
from neurosim.plasticity.sgd import SGD
from neurosim.plasticity.signum import Signum
from neurosim.rules import make

cpu, reference = Backend("cpu"), Backend("reference")

GRID, PICTURES = 3, 2
LOSSES = {"gaze": {"threshold": 1.65, "delta": 0.65, "negatives": 2}, "clapp": {"negatives": 2}}
WIRINGS = [
    *((kind, {}) for kind in ("bp", "rf", "urf", "sign")),
    ("ll", {"feedback": "urf"}),
    ("ll", {"feedback": "bp"}),
    ("ll", {"order": "greedy"}),
    ("dtp", {}),
]
IDS = ["-".join([name, *options.values()]) for name, options in WIRINGS]


def build(name, loss, plasticity=None, **options):
    views = PICTURES * GRID**2
    network = Network(
        "3 tanh pool, 4 tanh",
        (4, 4, 2),
        PICTURES,
        dtype=np.float64,
        head_units=3,
        views=views,
        plasticity=plasticity or SGD(0.0),
    )
    rule = make(name, network, make_loss(loss, grid=GRID, **LOSSES[loss]), **options)
    for synapse in rule.synapses():
        synapse.weight.array[...] *= 2
    return rule


def show(rule, batch=0):
    array = rule.network.populations[0].activity.array
    array[...] = np.random.default_rng(batch).uniform(-1, 1, array.shape)
    rule.draw(0, batch)


def run(rule, phase=None, kernels=cpu, threads=1):
    plan = rule.plan(phase or rule.phases[0])
    with ThreadTeam(threads) as team:
        Program(plan, kernels, hold=True).run(team)
    return plan


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=IDS)
def test_whole_plan_agrees_with_the_naive_kernels(name, options, loss):
    fast, naive = (build(name, loss, Momentum(0.01), **options) for _ in range(2))
    for phase in fast.phases:
        for batch in range(2):
            for rule in (fast, naive):
                show(rule, batch)
            pairs = zip(run(fast, phase, threads=2).buffers, run(naive, phase, reference).buffers, strict=True)
            for a, b in pairs:
                np.testing.assert_allclose(a.array, b.array, rtol=1e-10, atol=1e-11, err_msg=a.name)


@pytest.mark.parametrize("loss", LOSSES)
def test_bp_s_changes_are_derivatives_of_the_loss(loss):
    """The prediction matrices' own too; places where a comparison or a pool tips are few, and differ by more."""
    rule = build("bp", loss)
    show(rule)
    plan = run(rule)
    for synapse in rule.synapses():
        weight, change = synapse.weight.array, synapse.change.array.copy()
        assert change.any()
        rng, good = np.random.default_rng(1), 0
        for _ in range(12):
            place, values = tuple(rng.integers(0, size) for size in weight.shape), []
            for step in (1e-6, -1e-6):
                weight[place] += step
                with ThreadTeam(1) as team:
                    Program(plan, cpu, hold=True).run(team)
                values.append(float(rule.error.value.array[0]))
                weight[place] -= step
            good += (values[0] - values[1]) / 2e-6 == pytest.approx(change[place], abs=1e-6)
        assert good >= 10, synapse.name


def test_predictions_are_synapses_that_learn_and_are_kept():
    rule = build("ll", "clapp", Signum(0.01))
    assert [s.name for s in rule.synapses()] == ["W1", "W2", "H1", "H2", "P1", "P2", "F1", "F2"]
    before = {s.name: s.weight.array.copy() for s in rule.synapses()}
    show(rule)
    plan = run(rule)
    assert all((s.weight.array != before[s.name]).any() for s in rule.synapses())
    assert rule.errors[1].predictor.shape == (GRID - 2, 3, 3) and rule.errors[1].predictor.fan_in == 3
    makers = [step for step in plan if any(b.base.name == "dP1" for b in step.writes.values())]
    assert [step.kernel for step in makers] == [hebbian_prediction]
    assert {b.base.name for b in makers[0].reads.values()} == {"z1", "ep1"}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_step_touches_what_it_declares(loss):
    """Everything but what a step reads or updates is NaN while it runs; the results are the same bits."""
    plain, fenced = build("urf", loss), build("urf", loss)
    for rule in (plain, fenced):
        show(rule)
    run(plain)
    plan = fenced.plan("all layers")
    with ThreadTeam(1) as team:
        for step in plan:
            kept = {b.name: b.array.copy() for b in plan.buffers}
            known = [(b, b.array.copy()) for b in (*step.reads.values(), *step.updates.values())]
            for base in plan.buffers:
                base.array.view(np.uint8).fill(0xFF)
            for buffer, values in known:
                buffer.array[...] = values
            Program(Plan.alone("one", [step]), cpu, hold=True).run(team)
            results = [(b, b.array.copy()) for b in step.changed.values()]
            for base in plan.buffers:
                base.array[...] = kept[base.name]
            for buffer, values in results:
                buffer.array[...] = values
    for a, b in zip(plain.plan("all layers").buffers, plan.buffers, strict=True):
        if a.role in ("change", "error", "value"):
            np.testing.assert_allclose(b.array, a.array, rtol=1e-11, atol=1e-12, err_msg=a.name)


def test_patches_and_pairs_do_not_mix():
    with pytest.raises(WiringError, match="a gradient block with loss gaze"):
        make("bp", Network("4 tanh", (4, 4, 2), 9), make_loss("gaze", grid=3))


def test_random_patches_are_of_their_batch_their_epoch_and_their_layer():
    rule, drawn = build("ll", "gaze"), []
    for place in ((0, 0), (0, 1), (1, 0)):
        rule.draw(*place)
        drawn += [units.negative.array.copy() for units in rule.errors.values()]
    assert len({patches.tobytes() for patches in drawn}) == len(drawn) == 6
    rule.draw(0, 1)
    assert np.array_equal(rule.errors[1].negative.array, drawn[2])
