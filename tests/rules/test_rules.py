"""Rules are found by name, refuse what they do not know, and tell how they are wired."""

import itertools

import numpy as np
import pytest

from neurosim.core.kernel import Kind
from neurosim.errors import WiringError
from neurosim.losses import available as losses
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.rules import REGISTRY, available, make
from neurosim.rules.base import Rule

END_TO_END = ("bp", "rf", "urf", "sign")


def network():
    return Network("4 hardtanh, 4 pool", (4, 4, 3), 2)


def test_every_rule_of_the_paper_is_there_and_says_what_it_is():
    known = available()
    assert {"none", "bp", "rf", "urf", "sign", "ll"} <= known.keys()
    for name, kind in known.items():
        assert issubclass(kind, Rule)
        assert kind.name == name
        assert kind.summary
        assert kind.__doc__


def test_an_unknown_rule_lists_the_known():
    with pytest.raises(WiringError) as error:
        make("backprop", network(), make_loss("hinge"))
    assert str(error.value).startswith("unknown rule 'backprop'; expected one of bp")


@pytest.mark.parametrize("name", [*END_TO_END, "none"])
def test_an_option_that_a_rule_has_not_is_refused_never_ignored(name):
    """The published trap: an option that silently built plain back-propagation."""
    with pytest.raises(
        WiringError, match=rf"rule {name} has no option feedback \(feedback='urf'\); expected no option"
    ):
        make(name, network(), make_loss("hinge"), feedback="urf")


def test_an_option_that_ll_has_not_is_refused():
    with pytest.raises(WiringError, match=r"rule ll has no option top .*; expected options feedback, .*order"):
        make("ll", network(), make_loss("hinge"), top="transport")


def test_none_learns_nothing():
    rule = make("none", network(), make_loss("hinge"))
    assert rule.phases == ()
    assert rule.epochs(10) == 0
    assert rule.wiring() == []
    assert rule.errors == {}
    assert [s.name for s in rule.synapses()] == ["W1", "W2"]


@pytest.mark.parametrize("name", END_TO_END)
def test_end_to_end_has_one_error_at_the_top(name):
    rule = make(name, network(), make_loss("hinge"))
    assert list(rule.errors) == [2]
    assert rule.phases == ("all layers",)
    assert rule.phase(5, 3, 9) == "all layers"
    assert (rule.epochs(9), rule.progress(4, 0.5, 9)) == (9, 0.5)
    kernels = [step.kernel.name for step in rule.plan("all layers") if step.kernel.kind is Kind.DELIVER]
    assert kernels == ["deliver_dense", "deliver_convolution"]  # nothing is sent to the image


@pytest.mark.parametrize(
    ("name", "options", "wanted"),
    [
        (
            "bp",
            {},
            [
                "H2: ez2 -> layer 2 (bp: the transposed forward weights)",
                "W2: d2 -> layer 1 (bp: the transposed forward weights)",
            ],
        ),
        (
            "rf",
            {},
            ["F2: ez2 -> layer 2 (rf: fixed, random, its own)", "B2: d2 -> layer 1 (rf: fixed, random, its own)"],
        ),
        (
            "urf",
            {},
            [
                "F2: ez2 -> layer 2 (urf: its own, learned by its own outer product)",
                "B2: d2 -> layer 1 (urf: its own, learned by its own outer product)",
            ],
        ),
        (
            "ll",
            {"feedback": "rf"},
            ["F1: ez1 -> layer 1 (rf: fixed, random, its own)", "F2: ez2 -> layer 2 (rf: fixed, random, its own)"],
        ),
    ],
)
def test_the_wiring_listed_is_the_wiring_built(name, options, wanted):
    rule = make(name, network(), make_loss("hinge"), **options)
    assert rule.wiring() == wanted
    sent = {b.sent.name for b in rule.feedbacks}
    assert sent == {line.split(":")[0] for line in wanted}
    read = {b.name for s in rule.plan("all layers") if s.kernel.kind is Kind.DELIVER for b in s.reads.values()}
    assert sent <= read


@pytest.mark.parametrize(
    ("name", "more"), [("bp", set()), ("rf", {"B2", "F2"}), ("urf", {"B2", "F2"}), ("ll", {"H1", "F1", "F2"})]
)
def test_synapses_lists_each_array_once(name, more):
    rule = make(name, network(), make_loss("hinge"))
    names = [s.name for s in rule.synapses()]
    assert len(set(names)) == len(names)
    assert set(names) == {"W1", "W2", "H2"} | more
    weights = ("forward weight", "feedback weight")
    met = {b.name for b in rule.plan("all layers").buffers if b.role in weights and not b.name.startswith("sign")}
    assert met == set(names)


def test_rules_on_one_seed_start_from_the_same_arrays():
    """So that what differs between two runs is the rule."""
    rules = [make(name, network(), make_loss("hinge")) for name in ("rf", "urf", "sign")]
    first, *others = ({s.name: s.weight.array for s in rule.synapses()} for rule in rules)
    for other in others:
        assert first.keys() == other.keys()
        assert all(np.array_equal(first[name], other[name]) for name in first)


def choices(name):
    """Every combination of a rule's options: all choices of a word, the lowest and a higher value of a count."""
    known = REGISTRY.options(name)
    limits = {option: parameter.option for option, parameter in known.items()}
    values = {
        option: limits[option].choices or (limits[option].low, limits[option].low + 2)
        for option in known
        if limits[option].choices or isinstance(known[option].default, int)
    }
    return [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]


@pytest.mark.parametrize("text", ["4 hardtanh, 4 pool", "4 hardtanh, 4 pool, 4 local pool"])
@pytest.mark.parametrize("name", sorted(available().keys() - {"none", "hebb"}))  # hebb compares nothing: test_hebb
def test_every_combination_of_options_gives_plans_that_can_run(name, text):
    """A plan that makes what nothing uses, or reads what nothing made, is refused when it is asked for."""
    for options in choices(name):
        for loss in sorted(losses().keys() - {"gaze", "clapp"}):  # these two see patches
            rule = make(name, Network(text, (8, 8, 3), 2), make_loss(loss), **options)
            assert rule.phases, (options, loss)
            for phase in rule.phases:
                assert rule.plan(phase).steps, (options, loss, phase)
