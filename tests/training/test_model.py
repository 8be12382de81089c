"""A model: the same wiring wherever it is shown, never trained before it is ready, and its state whole."""

import numpy as np
import pytest

from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import RunError, WiringError
from neurosim.training.assembly import build


def test_no_program_before_heads_are_matched(begin):
    trainer = begin()
    model = trainer.model
    with pytest.raises(RunError, match=r"not ready to be trained; expected .*; call model\.ready"):
        model.program("all layers")
    assert model.memory() > 0 and not model.is_ready  # to ask for its size makes nothing ready
    with ThreadTeam(1) as team:
        model.ready(trainer.stream, team)
        matched = model.state()
        model.ready(trainer.stream, team)  # once is enough
    assert model.program("all layers") is model.program("all layers")
    assert all(np.array_equal(array, matched[name]) for name, array in model.state().items())


def test_training_matches_heads_whoever_forgets_it(begin):
    by_hand, by_trainer = begin(), begin()
    with ThreadTeam(1) as team:
        by_hand.model.ready(by_hand.stream, team)
        by_hand.train(team)
        by_trainer.train(team)
    first, second = by_hand.model.state(), by_trainer.model.state()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_heads_are_left_alone_where_it_is_asked_for(begin):
    trainer = begin(match=False)
    before = trainer.model.state()
    with ThreadTeam(1) as team:
        trainer.model.ready(trainer.stream, team)
    assert trainer.model.is_ready
    assert all(np.array_equal(array, before[name]) for name, array in trainer.model.state().items())


def test_pixels_are_centred_in_training_in_explain_and_in_the_read_out(begin):
    """x0 = 2 seen - 1 everywhere: a network that is read out, or explained, sees what it was trained on."""
    trainer = begin(views="deform")
    model = trainer.model
    x0 = model.network.populations[0].activity
    trainer.stream.load(0, 0)
    plan = model.propagation()
    with ThreadTeam(1) as team:
        program = Program(plan, model.kernels, hold=[x0, model.stimulus.seen])
        program.run(team)
        seen = model.stimulus.seen.array
        np.testing.assert_allclose(x0.array, 2 * seen - 1, atol=1e-6)
        assert x0.array.min() < -0.5 and seen.min() >= 0
        encoder = model.encoder()
        images = trainer.stream.images[:3]
        encoder.features(images, team)
    shown = encoder.network.populations[0].activity.array[:3]
    np.testing.assert_allclose(shown, images / 255 * 2 - 1, atol=1e-6)


def test_what_is_explained_is_what_is_trained(begin):
    model = begin().model
    shown = build(model.config, model.image)
    for phase in model.rule.phases:
        assert [step.equation for step in shown.plan(phase)] == [step.equation for step in model.plan(phase)]
    assert "x0 = 2 seen -1" in [step.equation for step in shown.plan(model.rule.phases[0])]


def test_undisturbed_gives_every_array_back(begin):
    trainer = begin()
    with ThreadTeam(1) as team:
        trainer.train(team)
    model = trainer.model
    before = model.state()
    with model.undisturbed():
        for synapse in model.rule.synapses():
            synapse.weight.array[...] = 0
    assert all(np.array_equal(array, before[name]) for name, array in model.state().items()) and model.is_ready


def test_greedy_keeps_one_program(begin):
    trainer = begin(order="greedy")
    with ThreadTeam(1) as team:
        trainer.model.ready(trainer.stream, team)
    first = trainer.model.program("layer 1")
    trainer.model.program("layer 2")
    assert trainer.model.greedy and trainer.model.program("layer 1") is not first


def test_an_encoder_without_training_has_the_weights_as_drawn(begin):
    trainer = begin(epochs=1)
    images = trainer.stream.images
    with ThreadTeam(1) as team:
        drawn = trainer.model.encoder(untrained=True).features(images, team)
        assert all(
            np.array_equal(*both) for both in zip(drawn, trainer.model.encoder().features(images, team), strict=True)
        )
        trainer.train(team)
        floor = trainer.model.encoder(untrained=True).features(images, team)
        learned = trainer.model.encoder().features(images, team)
    for untrained, still, trained in zip(drawn, floor, learned, strict=True):
        assert np.array_equal(untrained, still) and not np.array_equal(untrained, trained)


def test_pixels_enter_training_and_encoding_alike(begin):
    """-1..1 by default, 0..1 as in the authors' code; the read-out sees what the network learned from."""
    for pixels, wanted in (("centred", {"gain": 2.0, "offset": -1.0}), ("unit", {"gain": 1.0, "offset": 0.0})):
        model = begin(pixels=pixels).model
        assert model.stimulus.scalars == model.encoder().stimulus.scalars == wanted
        assert model.encoder(untrained=True).stimulus.scalars == wanted
        (step,) = [s for s in model.plan("all layers") if s.kernel.name == "present"]
        assert step.scalars == wanted
    with pytest.raises(WiringError, match="unknown pixels 'raw'; expected one of centred, unit"):
        begin(pixels="raw")
