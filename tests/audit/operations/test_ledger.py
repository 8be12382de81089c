"""The ledger names what error units do, with its line."""

from pathlib import Path

import numpy as np
import pytest
from ledgers import FORMS, compare, kinds, steps
from own_kernels import named

from neurosim.audit.operations import categories as C
from neurosim.audit.operations.judgement import place_of
from neurosim.audit.operations.ledger import ledger, readout_ledger
from neurosim.core.kernel import Kernel
from neurosim.core.step import Step
from neurosim.errors import WiringError
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.rules import make


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize(("loss", "options"), [("hinge", {"lags": 5}), ("hinge", {"lags": None}), ("positive", {})])
def test_the_plausible_errors_are_simple_arithmetic(form, block, loss, options):
    step = compare(loss, block=block, **options)
    found = ledger(step, FORMS[form](step))
    assert (found.verdict, found.forbidden, found.assumed, found.undecided) == ("simple", [], [], [])
    assert found.place == "error units"
    assert set(found.counts) <= C.SIMPLE
    assert C.SUBTRACT in found.counts and {C.SIGN, C.COMPARE} & set(found.counts)


@pytest.mark.parametrize("form", FORMS)
def test_hinge_mean_is_let_pass_with_its_count_named(form):
    step = compare("hinge-mean")
    found = ledger(step, FORMS[form](step))
    assert (found.forbidden, found.undecided) == ([], [])
    assert kinds(found.assumed) <= {C.BY_COUNT, C.TIMES_COUNT}
    assert found.assumed
    if form == "cpu":
        assert any("max(1, len(active))" in o.text and o.kind == C.BY_COUNT for o in found.assumed)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("loss", "wanted"),
    [("simclr", {C.DIVIDE, C.ROOT, C.EXP, C.PRODUCT, C.INNER}), ("barlow", {C.DIVIDE, C.ROOT, C.VARIANCE, C.PRODUCT})],
)
def test_the_implausible_errors_are_forbidden_by_name(form, loss, wanted):
    step = compare(loss)
    found = ledger(step, FORMS[form](step))
    assert found.verdict == "violated"
    assert wanted <= kinds(found.forbidden)
    assert {o.file.rsplit("/", 1)[-1] for o in found.forbidden} <= {"nt_xent.py", "barlow.py"}
    for operation in found.forbidden:
        assert operation.text in Path(operation.file).read_text(encoding="utf-8")
        assert str(operation.line) in str(operation)


def test_what_only_the_reported_loss_needs_is_counted_apart():
    found = ledger(compare("hinge", lags=5))
    assert found.reported[C.ADD] > 0


@pytest.mark.parametrize("rule", ["bp", "rf", "urf", "sign", "ll"])
@pytest.mark.parametrize("plasticity", ["sgd", "momentum", "signum", "adam"])
def test_every_step_of_every_rule_has_a_ledger(rule, plasticity):
    for step in steps(rule, plasticity=plasticity, text="3 hardtanh, 4 pool, 3 tanh"):
        found = ledger(step)
        assert (found.forbidden, found.undecided) == ([], []), step.label
        if plasticity == "adam" and named(step, "adam"):
            assert kinds(found.assumed) == {C.DIVIDE, C.ROOT, C.SQUARE}
        elif found.place == "gate":
            assert kinds(found.assumed) <= {C.SLOPE, C.SQUARE}
        else:
            assert found.assumed == []


def test_places_follow_from_roles():
    assert {step.kernel.name: place_of(step) for step in steps("sign")} == {
        "convolve": "response",
        "activate": "response",
        "pool": "response",
        "dense": "response",
        "push": "memory",
        "hinge_lags": "error units",
        "hebbian_dense": "hebbian",
        "send_sign": "feedback",
        "deliver_dense": "feedback",
        "gate_pooled": "gate",
        "gate": "gate",
        "hebbian_convolution": "hebbian",
        "deliver_convolution": "feedback",
        "signum": "plasticity",
    }


def test_buffers_are_not_touched():
    step = compare("hinge", lags=5)
    before = {name: b.array.copy() for name, b in step.buffers.items()}
    ledger(step)
    assert all(np.array_equal(before[name], b.array) for name, b in step.buffers.items())


def test_the_same_step_gives_the_same_ledger():
    first, second = ledger(compare("simclr")), ledger(compare("simclr"))
    assert first == second


def test_a_kernel_without_a_form_for_the_cpu_is_named():
    step = Step(Kernel("nothing"), "a step", "?", {})
    with pytest.raises(WiringError, match="kernel nothing has no form for cpu"):
        ledger(step)


def test_the_read_out_is_counted_and_not_judged():
    found = readout_ledger()
    assert {C.EXP, C.LOG, C.INNER} <= set(found.counts)
    assert (found.forbidden, found.undecided) == ([], [])
    assert kinds(found.assumed) >= {C.EXP, C.LOG}


@pytest.mark.parametrize("options", [{}, {"top": "transport"}])
@pytest.mark.parametrize("loss", ["hinge", "hinge-mean"])
def test_target_propagation_is_simple_where_its_errors_are_made(options, loss):
    built = make("dtp", Network("3 hardtanh, 4 pool, 5 tanh", (8, 8, 2), 4, head_units=5), make_loss(loss), **options)
    for step in built.plan(built.phases[0]):
        found = ledger(step)
        assert found.verdict == "simple", (step.label, found)
