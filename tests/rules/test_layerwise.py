"""ll: every layer learns from a head and an error of its own, in the order asked for."""

import numpy as np
import pytest

from neurosim.errors import WiringError
from neurosim.plasticity.sgd import SGD
from neurosim.rules.base import random_phase

KINDS = ["bp", "rf", "urf", "sign"]


def taught(phase):
    return [int(phase.split()[1])] if phase != "all layers" else [1, 2, 3]


def learning(number, kind):
    return {f"W{number}", f"H{number}"} | ({f"F{number}"} if kind in ("urf", "sign") else set())


def bits(rule):
    return {s.name: s.weight.array.tobytes() for s in rule.synapses()}


@pytest.mark.parametrize("order", ["greedy", "random", "simultaneous"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_phase_changes_its_layers_and_no_others(build, show, run, order, kind):
    rule = build("ll", order=order, feedback=kind, plasticity=SGD(0.01))
    assert rule.phases == (("all layers",) if order == "simultaneous" else ("layer 1", "layer 2", "layer 3"))
    show(rule)
    for phase in rule.phases:
        before = bits(rule)
        plan = run(rule, phase)
        after = bits(rule)
        wanted = set().union(*(learning(n, kind) for n in taught(phase)))
        assert {name for name in after if after[name] != before[name]} == wanted
        weights = ("forward weight", "feedback weight")
        declared = {b.base.name for s in plan for b in s.changed.values() if b.base.role in weights}
        assert declared - {f"sign(F{n})" for n in taught(phase)} == wanted
        assert [e.head.number for e in rule.errors_of(phase)] == taught(phase)


@pytest.mark.parametrize("order", ["greedy", "simultaneous"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_error_of_a_layer_comes_from_its_own_head(build, order, kind):
    """Walks the plan: who writes e_l, d_l and ez_l, and from what."""
    rule = build("ll", order=order, feedback=kind)
    for phase in rule.phases:
        plan = rule.plan(phase)
        makers = {}
        for step in plan:
            for b in (*step.writes.values(), *step.sums.values()):
                makers.setdefault(b.base.name, []).append(step)
        for n in taught(phase):
            (delivered,), (gated,) = makers[f"e{n}"], makers[f"d{n}"]
            weight = {"bp": f"H{n}", "sign": f"sign(F{n})"}.get(kind, f"F{n}")
            assert {b.base.name for b in delivered.reads.values()} == {f"ez{n}", weight}
            assert {b.base.name for b in gated.reads.values()} <= {f"e{n}", f"x{n}", f"winner{n}"}
            (compared,) = makers[f"ez{n}"]
            assert {b.base.name for b in compared.reads.values()} == {f"z{n}", f"moments{n}"}
        untaught = {1, 2, 3} - set(taught(phase))
        assert not makers.keys() & {f"{letter}{n}" for n in untaught for letter in ("e", "d", "ez", "dW", "dH", "z")}
        assert "deliver_convolution" not in {step.kernel.name for step in plan}
        assert plan.flops > 0


def test_a_layer_s_phase_runs_nothing_above_it(build):
    rule = build("ll", order="greedy")
    names = {b.name for b in rule.plan("layer 2").buffers}
    assert {"x1", "x2", "z2"} <= names
    assert not names & {"u3", "x3", "z3", "z1", "W3", "H1", "H3"}


def changes(rule, phase):
    return {b.name: b.array.copy() for b in rule.plan(phase).buffers if b.role == "change"}


@pytest.mark.parametrize("kind", KINDS)
def test_layers_above_are_never_felt_below(build, show, run, kind):
    """Replace everything above layer 1: its changes stay the same bits. For bp end to end they do not."""
    rule, other = (build("ll", feedback=kind) for _ in range(2))
    for r in (rule, other):
        show(r)
    rng = np.random.default_rng(0)
    for synapse in other.synapses():
        if synapse.name[1:] != "1":
            synapse.weight.array[...] = rng.normal(size=synapse.shape)
    run(rule)
    run(other)
    found, wanted = changes(other, "all layers"), changes(rule, "all layers")
    for name, value in wanted.items():
        assert np.array_equal(found[name], value) == (name[2:] == "1"), name


@pytest.mark.parametrize("kind", ["bp", "rf", "urf", "sign"])
def test_end_to_end_feels_what_is_above(build, show, run, kind):
    """The control of the test above: the top head's error does come down in the end-to-end rules."""
    rule, other = build(kind), build(kind)
    for r in (rule, other):
        show(r)
    weight = other.head.synapse.weight.array
    weight[...] = np.random.default_rng(0).normal(size=weight.shape)
    run(rule)
    run(other)
    assert not np.array_equal(changes(rule, "all layers")["dW1"], changes(other, "all layers")["dW1"])


@pytest.mark.parametrize("kind", KINDS)
def test_all_layers_at_once_is_each_layer_by_itself(build, show, run, kind, relative_error):
    """Before weights change, one simultaneous phase and the single phases give the same outer products."""
    together, single = build("ll", feedback=kind), build("ll", order="greedy", feedback=kind)
    show(together)
    show(single)
    run(together)
    wanted = changes(together, "all layers")
    for phase in single.phases:
        run(single, phase)
        for name, value in changes(single, phase).items():
            assert relative_error(value, wanted.pop(name)) < 1e-12, name
    assert not wanted


def test_one_layer_is_end_to_end(build, show, run):
    """With a single layer, ll and the end-to-end rule are one and the same wiring."""
    for kind in KINDS:
        one, other = build(kind, text="4 hardtanh pool"), build("ll", text="4 hardtanh pool", feedback=kind)
        if kind != "bp":  # the names of the arrays differ, and with them what they drew
            other.feedbacks[0].synapse.weight.array[...] = one.feedbacks[0].synapse.weight.array
        for rule in (one, other):
            show(rule)
            run(rule)
        for a, b in zip(one.network.projections, other.network.projections, strict=True):
            assert np.array_equal(a.synapse.change.array, b.synapse.change.array)


def test_greedy_teaches_layer_after_layer(build):
    rule = build("ll", order="greedy")
    assert rule.epochs(4) == 12
    phases = [rule.phase(epoch, batch, 4) for epoch in range(12) for batch in range(2)]
    assert phases == [f"layer {n}" for n in (1, 2, 3) for _ in range(8)]
    # Every layer has a schedule of its own, from its beginning to its end.
    assert [rule.progress(epoch, 0.5, 4) for epoch in range(12)] == [0.125, 0.375, 0.625, 0.875] * 3


def test_simultaneous_teaches_all_on_every_batch(build):
    rule = build("ll")
    assert rule.order == "simultaneous"
    assert rule.epochs(4) == 4
    assert {rule.phase(epoch, batch, 4) for epoch in range(4) for batch in range(9)} == {"all layers"}
    assert rule.progress(3, 0.5, 4) == 0.875


def test_random_draws_one_layer_a_batch(build):
    """E x L epochs; the same draws from the same seed, each layer about as often, no pattern from epoch to epoch."""
    rule, same, other = (build("ll", order="random", seed=seed) for seed in (3, 3, 4))
    assert rule.epochs(4) == 12
    assert rule.progress(11, 0.5, 4) == 11.5 / 12
    places = [(epoch, batch) for epoch in range(12) for batch in range(100)]
    drawn = [rule.phase(e, b, 4) for e, b in places]
    assert drawn == [same.phase(e, b, 4) for e, b in places]
    assert drawn != [other.phase(e, b, 4) for e, b in places]
    # Resumed in the middle, it goes on as it would have: a draw depends on its place alone.
    assert [rule.phase(*places[700], 4), rule.phase(*places[3], 4)] == [drawn[700], drawn[3]]
    counts = np.array([drawn.count(phase) for phase in rule.phases])
    assert counts.sum() == 1200
    assert np.abs(counts - 400).max() < 4 * np.sqrt(1200 * 2 / 9)  # four standard deviations
    assert drawn[:100] != drawn[100:200]


def test_random_phase_is_uniform_over_any_number_of_layers():
    for count in (1, 2, 5):
        drawn = np.bincount([random_phase(0, 0, b, count) for b in range(1000)], minlength=count)
        assert len(drawn) == count
        assert np.abs(drawn - 1000 / count).max() < 4 * np.sqrt(1000 / count)


def test_unknown_orders_and_feedbacks_are_refused(build):
    with pytest.raises(WiringError, match="unknown order 'reverse'; expected one of greedy, random, simultaneous"):
        build("ll", order="reverse")
    with pytest.raises(WiringError, match="unknown feedback 'none'; expected one of bp, rf, urf, sign"):
        build("ll", feedback="none")


def test_no_step_of_a_phase_is_there_twice(build):
    labels = [(step.label, step.equation) for step in build("ll").plan("all layers")]
    assert len(set(labels)) == len(labels)
