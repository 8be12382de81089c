"""Supervised: its forms, its error by finite differences, where labels come from, and that the audit says so."""

import dataclasses

import numpy as np
import pytest
from forms import Forms

from neurosim.audit import checks
from neurosim.errors import DataError
from neurosim.losses import make
from neurosim.losses.supervised import supervised
from neurosim.parts.error_units import error_units
from neurosim.parts.head import Head
from neurosim.training.config import Config
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream, load_data

RNG = np.random.default_rng(6)
TINY = {"network": "4 pool, 5 pool", "batch": 8, "epochs": 1, "rule": "bp", "loss": "supervised"}


class TestForms(Forms):
    @staticmethod
    def cases():
        view1, view2, label = RNG.normal(size=(6, 4)), 9 * RNG.normal(size=(6, 4)), RNG.integers(0, 4, 6)
        shared = {"view2": view2, "label": label, "error2": np.full_like(view2, np.nan), "value": np.zeros(3)}
        yield supervised, {**shared, "view1": None, "error1": None}, ["error2", "value"]
        both = {**shared, "view1": view1, "error1": np.full_like(view1, np.nan)}
        yield supervised, both, ["error1", "error2", "value"]


def loss_of(view, label):
    error, value = np.empty_like(view), np.zeros(3)
    supervised.form("cpu")(view2=view, label=label, error2=error, value=value)
    return error, value


def test_the_error_is_the_slope_of_the_cross_entropy():
    view, label, step = RNG.normal(size=(5, 7)), RNG.integers(0, 7, 5), 1e-6
    error, value = loss_of(view, label)
    wanted = np.zeros_like(view)
    for place in np.ndindex(view.shape):
        moved = [view.copy(), view.copy()]
        moved[0][place] -= step
        moved[1][place] += step
        low, high = (loss_of(each, label)[1][0] for each in moved)
        wanted[place] = (high - low) / (2 * step)
    np.testing.assert_allclose(error, wanted, atol=1e-8)
    np.testing.assert_allclose(error.sum(axis=1), 0, atol=1e-12)
    assert value[1] == (view.argmax(axis=1) != label).sum() and value[2] == 5


@pytest.mark.parametrize("block", [True, False], ids=["block", "free"])
def test_both_views_have_the_label_of_their_picture(block):
    units = error_units(Head(1, 4, 6, 3 if block else 0, float), make("supervised"))
    assert units.label.role == "label" and units.label.shape == (3,) and units.label.given
    (step,) = units.compare()
    assert (step.reads.get("view1") is None) == block
    assert error_units(Head(1, 4, 6, 3, float), make("hinge")).label is None


def test_the_stream_brings_the_labels_of_the_pictures_that_it_shows(archive):
    config = Config.resolve(**TINY, data=str(archive))
    data = load_data(config)
    model = Model(config, data.image_shape)
    stream = ViewStream(model, data)
    for batch in range(2):
        stream.load(0, batch)
        chosen = stream.order(0)[batch * 8 : batch * 8 + 8]
        assert np.array_equal(model.rule.errors[2].label.array, data.train_labels[chosen])
        assert np.array_equal(model.stimulus.images.array[:8], data.train_images[chosen])


def test_data_without_labels_and_too_many_classes_are_refused(archive):
    config = Config.resolve(**TINY, data=str(archive))
    data = load_data(config)
    model = Model(config, data.image_shape)
    with pytest.raises(
        DataError, match="no labels of its training images; expected labels, for a loss that is supervised"
    ):
        ViewStream(model, dataclasses.replace(data, train_labels=None))
    many = dataclasses.replace(data, train_labels=data.train_labels + 61)
    with pytest.raises(DataError, match="has 65 classes and heads have 64 units"):
        ViewStream(model, many)


@pytest.mark.parametrize("rule", ["bp", "ll"])
def test_the_audit_says_supervised(rule):
    verdict = checks.check(rule, loss="supervised")
    assert "iv" in verdict.violated and not verdict.plausible
    assert any("label" in line for line in str(verdict).splitlines())
