"""A rule a layer: each layer's steps are those of its own rule, options go to the rules that have them."""

import numpy as np
import pytest

from neurosim import rules
from neurosim.errors import WiringError
from neurosim.plasticity.sgd import SGD
from neurosim.training.config import Config

TEXT = "4 5x5 inhibited pool, 5 hardtanh, 6 tanh"


def made(build, name="hebb,ll,ll", **options):
    return build(name, text=TEXT, plasticity=SGD(0.01), **options)


@pytest.mark.parametrize("order", ["greedy", "random", "simultaneous"])
def test_each_layer_learns_by_its_own_rule(build, show, run, order):
    rule = made(build, order=order)
    assert rule.phases == (("all layers",) if order == "simultaneous" else ("layer 1", "layer 2", "layer 3"))
    assert list(rule.errors) == [2, 3]
    assert list(rule.figures()) == ["silent_1"]
    show(rule)
    learns = {"layer 1": {"W1"}, "layer 2": {"W2", "H2", "F2"}, "layer 3": {"W3", "H3", "F3"}}
    for phase in rule.phases:
        before = {s.name: s.weight.array.copy() for s in rule.synapses()}
        run(rule, phase)
        changed = {s.name for s in rule.synapses() if (s.weight.array != before[s.name]).any()}
        assert changed == (set().union(*learns.values()) if phase == "all layers" else learns[phase])


def test_alone_or_beside_another_a_rule_does_the_same(build, show, run):
    """Layer 1 of hebb,none,none changes as that of hebb; layer 3 of none,none,ll as that of ll."""
    for name, other, phase, options in (
        ("hebb", "hebb,none,none", "layer 1", {}),
        ("ll", "none,none,ll", "layer 3", {"order": "greedy"}),
    ):
        left = []
        for each in (name, other):
            rule = build(
                each, text=TEXT, plasticity=SGD(0.01), **options, **({"win_rate": 0.1} if "hebb" in each else {})
            )
            show(rule)
            run(rule, phase)
            left.append({s.name: s.weight.array.copy() for s in rule.network.projections[int(phase[-1]) - 1].synapses})
        assert left[0].keys() == left[1].keys()
        assert all(np.array_equal(left[0][key], left[1][key]) for key in left[0])


def test_layers_without_a_rule_stay_as_drawn(build):
    rule = made(build, "none,ll,none")
    assert rule.phases == ("layer 2",) and list(rule.errors) == [2]


def test_every_rate_follows_the_schedule(build):
    rule = made(build)
    own = {s.plasticity.rate.name for s in rule.synapses() if s.plasticity is not None}
    assert own <= {p.rate.name for p in rule.plasticities()}


def test_options_are_those_of_all_rules_together():
    known = rules.options("hebb,ll,ll")
    assert set(known) == {*rules.options("ll"), *rules.options("hebb")}
    assert known["order"].default == "greedy" and known["win_rate"].default == 0.1
    config = Config.resolve(rule="hebb,ll", network="8 5x5 inhibited pool, 8 pool", winners=2, feedback="rf")
    assert config.rule.options["winners"] == 2 and config.rule.options["feedback"] == "rf"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hebb,ll", "2 rules for 3 layers"),
        ("hebb,bp,bp", "'bp' as the rule of a layer"),
        ("none,none,none", "a rule that teaches a layer"),
        ("hebb,what,ll", "unknown rule 'what'"),
    ],
)
def test_what_is_no_rule_a_layer_is_refused(build, name, message):
    with pytest.raises(WiringError, match=message):
        made(build, name)
