"""A budget of minutes: what it buys, that it is written down, and that a resumed run does not measure again."""

import json

import pytest

import neurosim as ns
from neurosim.errors import WiringError
from neurosim.training import budget
from neurosim.training.config import Config

SMALL = {"rule": "hebb", "network": "4 5x5 inhibited pool", "images": 60, "batch": 10, "threads": 1}


@pytest.mark.parametrize(("fit", "wanted"), [(22, (3, None)), (6, (1, None)), (5, (1, 5)), (1, (1, 1)), (0, (1, 1))])
def test_whole_passes_or_batches_of_one(fit, wanted):
    assert budget.bought(fit, 6) == wanted


def test_what_fits_is_fixed_in_the_configuration(monkeypatch, tmp_path):
    """6 batches of half a second: 6.33 passes fit into 95 % of 20 seconds, and 3 batches into 95 % of 2 seconds."""
    monkeypatch.setattr(budget, "seconds_a_batch", lambda model, data: 0.5)
    experiment = ns.Experiment(**SMALL, minutes=20 / 60)
    assert (experiment.config.training.epochs, experiment.config.training.batches) == (6, None)
    experiment = ns.Experiment(**SMALL, minutes=2 / 60)
    assert (experiment.config.training.epochs, experiment.config.training.batches) == (1, 3)
    assert experiment.stream.batches == 3
    experiment.fit(tmp_path / "run")
    record = json.loads((tmp_path / "run" / "config.json").read_text(encoding="utf-8"))
    assert (record["training"]["epochs"], record["training"]["batches"]) == (1, 3)
    monkeypatch.setattr(budget, "seconds_a_batch", lambda model, data: 1 / 0)
    assert ns.load(tmp_path / "run").config == experiment.config


def test_a_batch_is_timed_of_every_phase():
    experiment = ns.Experiment(**{**SMALL, "network": "4 5x5 inhibited pool, 5 inhibited"}, epochs=1)
    assert budget.seconds_a_batch(experiment.model, experiment.data) > 0


def test_a_budget_beside_epochs_is_refused():
    with pytest.raises(WiringError, match="epochs beside minutes"):
        Config.resolve(minutes=1, epochs=2)


def test_a_budget_takes_the_place_of_a_recipes_own_length(monkeypatch):
    """A pass is all images, however few batches the recipe trains for without a budget."""
    monkeypatch.setattr(budget, "seconds_a_batch", lambda model, data: 0.5)
    for minutes, bought in ((20 / 60, (6, None)), (2 / 60, (1, 3))):
        training = ns.Experiment(**SMALL, batches=2, minutes=minutes).config.training
        assert (training.epochs, training.batches) == bought
