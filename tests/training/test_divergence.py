"""Divergence: found within one batch in every rule, said by name, and the last good checkpoint stays."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DivergenceError, RunError
from neurosim.training import divergence
from neurosim.training.callbacks import Checkpoints, Each
from neurosim.training.config import Config
from neurosim.training.divergence import Divergence
from neurosim.training.folder import Run
from neurosim.training.model import Model
from neurosim.training.plugins import REGISTRIES
from neurosim.training.stream import ViewStream, load_data
from neurosim.training.trainer import Trainer

RULES = {
    "ll": {"network": "4 hardtanh, 6 pool, 5 tanh pool"},
    "ll greedy": {"network": "4 hardtanh, 6 pool, 5 tanh pool", "order": "greedy"},
    "ll all negatives": {"network": "4 pool, 5 pool", "lags": None, "plasticity": "adam", "rate": 1e-3},
    "bp": {"rule": "bp", "network": "4 pool, 5 pool"},
    "rf": {"rule": "rf", "network": "4 pool, 5 pool"},
    "urf": {"rule": "urf", "network": "4 pool, 5 pool"},
    "dfa": {"rule": "dfa", "network": "4 pool, 5 pool"},
    "dtp": {"rule": "dtp", "network": "4 bias tanh pool, 5 bias hardtanh, head bias tanh", "inverse_first": 3},
    "hebb": {"rule": "hebb", "network": "4 pool, 5 pool"},
    "sign": {"rule": "sign", "network": "4 pool, 5 pool"},
    "mixed": {"rule": "hebb,ll", "network": "4 pool, 5 pool"},
    "simclr": {"loss": "simclr", "network": "4 pool, 5 pool"},
}
RULES |= {
    f"plasticity {name}": {"network": "4 pool, 5 pool", "plasticity": name, "rate": 1e-5}
    | ({"rule": "hebb"} if name == "bounded" else {})  # which needs to know who was active
    for name in REGISTRIES["plasticity"].available()
}


def test_every_rule_is_among_them():
    named = {each.get("rule", "ll") for each in RULES.values()}
    assert set(REGISTRIES["rule"].available()) - {"none"} <= named


@pytest.fixture
def make(archive, tmp_path):
    """Makes a trainer with a watch, and what spoils its model after so many batches."""

    def made(spoil=lambda model: None, after=2, what="stop", folder=None, every=1e9, **options):
        options = {"network": "4 pool, 5 pool", "batch": 7, "epochs": 2, "threads": 1, **options}
        config = Config.resolve(data=str(archive), **options)
        data = load_data(config)
        model = Model(config, data.image_shape)
        watch, saved = Divergence(what), []
        if folder:
            saved = [Checkpoints(Run.create(folder, config, model.rule.wiring()), every, watch.before_saving)]
        each = Each(lambda progress: spoil(model) if progress.done == after else None)
        return Trainer(model, ViewStream(model, data), [watch, *saved, each])

    return made


def train(trainer):
    with ThreadTeam(1) as team:
        trainer.train(team)


def learned(model):
    """The weights of layers and heads that learn."""
    return [s.weight for s in model.rule.synapses() if s.plasticity is not None]


@pytest.mark.parametrize("options", RULES.values(), ids=RULES)
def test_a_value_that_is_no_number_is_found_within_one_batch(make, options):
    trainer = make(lambda model: learned(model)[0].array.reshape(-1).put(0, np.nan), **options)
    with np.errstate(all="ignore"), pytest.raises(DivergenceError, match="not finite") as found:
        train(trainer)
    assert trainer.progress.done == 3 and "after 3 batches" in str(found.value)
    assert found.value.exit_code == 3 and "try rate=" in str(found.value)


@pytest.mark.parametrize("options", RULES.values(), ids=RULES)
def test_a_good_training_is_left_alone(make, options):
    train(trainer := make(**options))
    assert trainer.progress.epoch == trainer.epochs


def test_every_array_that_learns_is_watched(make):
    names = [weight.name for weight in learned(make(rule="urf").model)]
    for number, name in enumerate(names):
        trainer = make(lambda model, n=number: learned(model)[n].array.reshape(-1).put(-1, np.inf), rule="urf")
        with np.errstate(all="ignore"), pytest.raises(DivergenceError, match="not finite"):
            train(trainer)
        assert trainer.progress.done == 3, name


def test_of_a_large_array_every_value_is_looked_at_within_eight_batches(make, monkeypatch):
    monkeypatch.setattr(divergence, "LARGE", 20)
    trainer, seen = make(plasticity="sgd", rate=0.0), []
    weight = learned(trainer.model)[1].array.reshape(-1)
    watch = trainer.callbacks[0]
    watch._report = lambda trainer, found: seen.append(found)
    train(trainer)
    for place in range(0, len(weight), 17):
        before, weight[place] = weight[place], np.inf
        seen.clear()
        for trainer.progress.done in range(8):
            watch.on_batch(trainer)
        assert sum("1 of 180 values of W2 are not finite" in found for found in seen) == 1, place
        weight[place] = before


def test_weights_beyond_any_use_stop_it_and_the_array_and_step_are_named(make):
    def grow(model):
        learned(model)[1].array[...] *= 1e6

    with np.errstate(all="ignore"), pytest.raises(DivergenceError, match=r"W2 of 'W2 changes' is 6e\+05 times"):
        train(make(grow))


def test_an_error_that_is_no_number_stops_it(make):
    trainer = make()
    trainer.callbacks.insert(0, Each(lambda progress: setattr(progress, "error", np.nan)))
    with pytest.raises(DivergenceError, match="the error is not finite"):
        train(trainer)
    assert trainer.progress.done == 1


@pytest.mark.parametrize(
    ("gain", "says"), [(0, "every unit of layer 2 is silent"), (1e3, "every unit of layer 2 is saturated")]
)
def test_a_layer_that_tells_no_picture_apart_stops_it_before_a_checkpoint(make, tmp_path, gain, says):
    def spoil(model):
        model.network.projections[1].synapse.weight.array[...] = gain

    trainer = make(spoil, 1, folder=tmp_path / "a", every=0, network="4 tanh pool, 5 tanh pool", rate=1e-9)
    with pytest.raises(DivergenceError, match=says):
        train(trainer)
    _, state = Run.open(tmp_path / "a").checkpoint()
    assert state["done"] == 1


def test_the_last_good_checkpoint_stays(make, tmp_path):
    trainer = make(lambda model: learned(model)[0].array.fill(np.nan), folder=tmp_path / "a", every=0)
    with np.errstate(all="ignore"), pytest.raises(DivergenceError):
        train(trainer)
    arrays, state = Run.open(tmp_path / "a").checkpoint()
    assert state["done"] == 2 and all(np.isfinite(array).all() for array in arrays.values())


def test_warn_says_it_once_and_goes_on(make, capsys):
    trainer = make(lambda model: learned(model)[0].array.fill(np.nan), what="warn")
    with np.errstate(all="ignore"):
        train(trainer)
    assert trainer.progress.epoch == trainer.epochs
    assert capsys.readouterr().err.count("warning: training diverged after 3 batches") == 1


def test_another_word_is_refused():
    with pytest.raises(RunError, match="on_divergence='shout'; expected one of stop, warn"):
        Divergence("shout")


def test_it_changes_no_bit(make):
    watched, alone = make(), make()
    alone.callbacks = []
    train(watched)
    train(alone)
    first, second = watched.model.state(), alone.model.state()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_the_front_door_stops_and_the_command_exits_with_3(archive, tmp_path, monkeypatch, capsys):
    from neurosim.cli.main import main

    monkeypatch.chdir(tmp_path)
    options = ["--data", str(archive), "--network", "4 pool, 5 pool", "--batch", "7", "--rate", "1e6", "--out", "a"]
    with pytest.raises(SystemExit) as stopped:
        main(["train", *options])
    assert stopped.value.code == 3
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: training diverged after 1 batches") and "--on-divergence warn" in last
    experiment = ns.Experiment(data=str(archive), network="4 pool, 5 pool", batch=7, rate=1e6)
    with pytest.raises(DivergenceError, match="on_divergence='warn'"):
        experiment.fit()
