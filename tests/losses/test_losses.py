"""Losses are found by name, refuse what they cannot do, and wire what they declare."""

import numpy as np
import pytest

from neurosim.errors import ShapeError, WiringError
from neurosim.kernels.comparison import hinge_all, hinge_lags
from neurosim.losses import available, make, options
from neurosim.losses.base import Loss
from neurosim.parts import memory
from neurosim.parts.error_units import PatchErrorUnits, PredictingErrorUnits, ViewErrorUnits, error_units
from neurosim.parts.head import Head
from neurosim.plasticity.sgd import SGD


def wired(loss, pairs=3, block=True):
    if loss.patches:
        units = error_units(Head(2, 4, 2 * loss.grid**2, 0, float), loss, SGD())
    else:
        units = error_units(Head(2, 4, 2 * pairs, pairs if block else 0, float), loss)
    return units, list(units.compare())


def test_every_loss_has_a_name_and_a_summary():
    known = available()
    assert {"hinge", "simclr", "barlow", "hinge-mean", "positive", "clapp", "gaze"} <= known.keys()
    for name, kind in known.items():
        assert issubclass(kind, Loss)
        assert kind.name == name
        assert kind.summary


def test_an_unknown_loss_lists_the_known():
    with pytest.raises(WiringError, match=r"unknown loss 'l2'; expected one of .*hinge.*simclr"):
        make("l2")


def test_a_loss_lists_its_options():
    assert set(options("hinge")) == {"lags", "threshold", "delta", "negative_weight"}
    assert list(options("simclr")) == ["temperature"]
    assert options("barlow") == options("positive") == {}
    with pytest.raises(WiringError, match="unknown loss 'l2'"):
        options("l2")


@pytest.mark.parametrize(("name", "option"), [("hinge", "temperature"), ("simclr", "lags"), ("barlow", "delta")])
def test_an_option_that_a_loss_has_not_is_refused_never_ignored(name, option):
    with pytest.raises(WiringError, match=f"loss {name} has no option {option}"):
        make(name, **{option: 3})


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("hinge", {"lags": 1}, "lags=1; expected a whole number of at least 2, or 'all'"),
        ("hinge", {"lags": 0}, "lags=0"),
        ("hinge", {"threshold": 1, "delta": 2}, "no margin is negative"),
        ("hinge", {"delta": -1}, "delta=-1"),
        ("hinge", {"negative_weight": -1}, "negative_weight=-1; expected a number of at least 0"),
        ("hinge", {"lags": None, "negative_weight": 0.5}, "negative_weight=0.5 with lags=all"),
        ("simclr", {"temperature": 0}, "temperature=0; expected a number above 0"),
    ],
)
def test_options_out_of_range_are_refused(name, given, words):
    with pytest.raises(WiringError, match=words):
        make(name, **given)


def test_a_loss_that_is_not_wired_says_so():
    with pytest.raises(TypeError, match="Loss does not say how it is wired"):
        list(Loss().wire(None))


def test_the_hinge_s_margins_are_the_paper_s():
    """threshold 2, delta 1: m+ = 1, m- = 3; five lags."""
    hinge = make("hinge")
    assert (hinge.lags, hinge.negative_weight) == (5, 1 / 5)
    assert hinge.margins == make("hinge-mean").margins == {"margin_positive": 1.0, "margin_negative": 3.0}


def test_with_lags_view_1_goes_into_the_memory_and_the_past_comes_from_it():
    units, (push, compare) = wired(make("hinge", lags=3))
    assert (push.kernel, compare.kernel) == (memory.push, hinge_lags)
    assert push.reads == {"activity": units.view1}
    assert units.view1 not in compare.reads.values()
    assert {"trace", "cursor", "view2", "index"} == compare.reads.keys()
    assert compare.changed == {"error2": units.error2, "value": units.value}
    assert compare.scalars["pairs"] == 3


def test_with_all_negatives_there_is_no_memory():
    units, (compare,) = wired(make("hinge", lags=None), block=False)
    assert compare.reads.keys() == {"view1", "view2", "index"}
    assert compare.changed == {"error1": units.error1, "error2": units.error2, "value": units.value}
    assert units.memory is None


@pytest.mark.parametrize("name", ["simclr", "barlow", "hinge-mean", "positive"])
def test_there_is_no_error_of_view_1_under_the_block(name):
    units, (compare,) = wired(make(name))
    assert compare.writes == {"error2": units.error2} and units.error1 is None
    assert units.error2.base is units.head.error and units.head.error.shape == (3, 4)
    units, (compare,) = wired(make(name), block=False)
    assert compare.writes["error1"].base is units.head.error


@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize(("name", "given"), [("hinge", {"lags": None}), *((name, {}) for name in sorted(available()))])
def test_no_loss_reads_an_image_a_weight_or_an_undeclared_label(name, given, block):
    loss = make(name, **given)
    own = {"prediction weight", "error"} if loss.predicts else set()  # and what it predicts with, which is its own
    own |= {"label"} if loss.labels else set()  # declared, and so found by the audit
    try:
        _, steps = wired(loss, block=block)
    except WiringError as problem:  # some losses are for the gradient block alone
        assert not block and "block" in str(problem)
        return
    for step in steps:
        assert {b.role for b in step.reads.values()} <= {"activity", "memory", "value"} | own
        assert {b.role for b in step.changed.values()} <= {"error", "memory", "value"} | (
            {"activity", "change"} if own else set()
        )
        assert all(np.isscalar(value) for value in step.scalars.values())


@pytest.mark.parametrize("name", ["clapp", "gaze"])
def test_patches_come_in_whole_pictures_and_all_learn(name):
    with pytest.raises(ShapeError, match="50 patches in grids of 7 x 7; expected a multiple of 49"):
        error_units(Head(1, 4, 50, 0, float), make(name), SGD())
    with pytest.raises(WiringError, match=f"a gradient block with loss {name}"):
        error_units(Head(1, 4, 98, 49, float), make(name), SGD())


def test_error_units_are_of_the_kind_that_the_loss_asks_for():
    for name, kind in available().items():
        wanted = PredictingErrorUnits if kind.predicts else PatchErrorUnits if kind.patches else ViewErrorUnits
        assert type(wired(make(name))[0]) is wanted
    with pytest.raises(WiringError, match="loss clapp without a plasticity"):
        error_units(Head(1, 4, 98, 0, float), make("clapp"))


def test_random_patches_are_any_of_the_batch():
    units, _ = wired(make("gaze", negatives=3))
    assert units.negative.shape == (2 * 3 * 7 * (5 + 4 + 3 + 2 + 1),)
    units.draw(np.random.default_rng(0))
    first = units.negative.array.copy()
    assert first.min() == 0 and first.max() == 97
    units.draw(np.random.default_rng(1))
    assert (units.negative.array != first).mean() > 0.9
    plain, _ = wired(make("hinge"))
    plain.draw(np.random.default_rng(0))  # nothing is drawn where two views are compared
    assert not hasattr(plain, "negative") and plain.synapses == []


@pytest.mark.parametrize("where", ["reference", "cpu"])
def test_a_comparison_at_its_margin_is_not_active(where):
    """Distances of exactly m+ within pairs and m- between them: no error, and none is counted."""
    view1, view2 = np.array([[0.0, 0], [4, 0]]), np.array([[1.0, 0], [3, 0]])
    given = {"view2": view2, "index": np.arange(2), "margin_positive": 1.0, "margin_negative": 3.0}
    memory = {"trace": view1, "cursor": np.array([2]), "pairs": 2, "lags": 2, "negative_weight": 0.5}
    for kernel, others, compared in ((hinge_all, {"view1": view1}, 4), (hinge_lags, memory, 3)):
        errors, value = {name: np.zeros((2, 2)) for name in ("error1", "error2")}, np.zeros(3)
        kernel.form(where)(**given, **others, **errors, value=value)
        assert value.tolist() == [0, 0, compared] and not any(error.any() for error in errors.values())
