"""A budget of minutes: what it buys, that it is written down, and that a resumed run does not measure again."""

import json

import pytest

import neurosim as ns
from neurosim.errors import WiringError
from neurosim.training import budget
from neurosim.training.config import Config

SMALL = {"rule": "hebb", "network": "4 5x5 inhibited pool", "images": 60, "batch": 10, "threads": 1}


@pytest.mark.parametrize(
    ("passes", "wanted"), [(3.7, (3, 60)), (1.0, (1, 60)), (0.99, (1, 50)), (0.2, (1, 10)), (0.001, (1, 10))]
)
def test_whole_passes_or_whole_batches_of_one(passes, wanted):
    assert budget.bought(passes, 60, 10) == wanted


def test_what_fits_is_fixed_in_the_configuration(monkeypatch, tmp_path):
    """6 batches of half a second: 6.33 passes fit into 95 % of 20 seconds; a fifth of that time buys one and nothing more."""
    monkeypatch.setattr(budget, "seconds_a_batch", lambda model, data: 0.5)
    experiment = ns.Experiment(**SMALL, minutes=20 / 60)
    assert (experiment.config.training.epochs, experiment.config.data.images) == (6, 60)
    experiment = ns.Experiment(**SMALL, minutes=2 / 60)
    assert (experiment.config.training.epochs, experiment.config.data.images) == (1, 30)
    assert len(experiment.data.train_images) == 30
    experiment.fit(tmp_path / "run")
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (record["training"]["epochs"], record["data"]["images"]) == (1, 30)
    monkeypatch.setattr(budget, "seconds_a_batch", lambda model, data: 1 / 0)
    assert ns.load(tmp_path / "run").config == experiment.config


def test_a_batch_is_timed_of_every_phase():
    experiment = ns.Experiment(**{**SMALL, "network": "4 5x5 inhibited pool, 5 inhibited"}, epochs=1)
    assert budget.seconds_a_batch(experiment.model, experiment.data) > 0


def test_a_budget_beside_epochs_is_refused():
    with pytest.raises(WiringError, match="epochs beside minutes"):
        Config.resolve(minutes=1, epochs=2)
