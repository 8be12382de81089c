"""Training as a whole: schedules, checkpoints, resuming to the same bits, stops."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from neurosim.core.writing import write_whole
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError, NeurosimError, RunError, WiringError
from neurosim.training.callbacks import Checkpoints, Each, Metrics, Signals
from neurosim.training.config import Config
from neurosim.training.folder import Run
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream, load_data
from neurosim.training.trainer import Interrupted, Trainer

NETWORK = "4 hardtanh, 6 pool, 5 tanh pool"


@pytest.fixture
def config(archive):
    return Config.resolve(data=str(archive), network=NETWORK, batch=7, epochs=2, lags=3, rate=0.02, threads=2)


def made(config, run=None, on_batch=None):
    """A trainer that has not begun."""
    data = load_data(config)
    model = Model(config, data.image_shape)
    kept = [Metrics(run), Checkpoints(run, 1e9)] if run else []
    return Trainer(model, ViewStream(model, data), [Each(on_batch or (lambda progress: None)), *kept, Signals()])


def trained(config, folder=None, stop_after=None, threads=2):
    """A trainer after its run, or after so many batches."""

    def on_batch(progress):
        if progress.done == stop_after:
            os.kill(os.getpid(), signal.SIGINT)

    trainer = made(config, on_batch=on_batch)
    if folder:
        run = Run.create(folder, config, trainer.model.rule.wiring())
        trainer.callbacks[1:1] = [Metrics(run), Checkpoints(run, 1e9)]
    with ThreadTeam(threads) as team:
        try:
            trainer.train(team)
        except Interrupted:
            assert stop_after
    return trainer


def resumed(folder, config=None):
    run = Run.open(folder)
    trainer = made(config or run.config, run)
    trainer.restore(*run.checkpoint())
    with ThreadTeam(1) as team:
        trainer.train(team)
    return trainer


def same(a, b):
    first, second = a.model.state(), b.model.state()
    assert sorted(first) == sorted(second)
    return all(np.array_equal(first[name], second[name]) for name in first)


CASES = {
    "bp adam": {"rule": "bp", "plasticity": "adam", "rate": 1e-3},
    "urf momentum": {"rule": "urf", "plasticity": "momentum", "rate": 1e-4, "decay": 0.1},
    "sign sgd": {"rule": "sign", "plasticity": "sgd", "rate": 1e-4, "block": False},
    "ll greedy": {"order": "greedy", "feedback": "rf"},
    "ll random": {"order": "random", "feedback": "sign"},
    "ll all negatives": {"lags": "all", "negative_weight": "all"},
    "simclr": {"loss": "simclr", "schedule": "linear"},
    "dtp": {
        "rule": "dtp",
        "network": "4 bias tanh pool, 5 bias hardtanh, head bias tanh",
        "inverse_steps": 2,
        "inverse_first": 3,
    },
    "dtp transport": {
        "rule": "dtp",
        "top": "transport",
        "loss": "hinge-mean",
        "plasticity": "adam",
        "rate": 1e-3,
        "block": False,
    },
}


def changed(config, **options):
    return config.replace(**{k: None if v == "all" else v for k, v in options.items()})


@pytest.mark.parametrize("options", CASES.values(), ids=CASES)
@pytest.mark.parametrize("stop", [1, 6])
def test_resuming_gives_what_an_uninterrupted_run_gives(config, tmp_path, options, stop):
    config = changed(config, **options)
    whole = trained(config, tmp_path / "whole")
    part = trained(config, tmp_path / "part", stop_after=stop)
    assert part.progress.done == stop and not same(part, whole)
    on = resumed(tmp_path / "part")
    assert same(on, whole)
    timeless = [{k: v for k, v in row.items() if "second" not in k} for row in whole.rows]
    assert timeless == [{k: v for k, v in row.items() if "second" not in k} for row in on.rows]
    assert len(Run.open(tmp_path / "part").metrics()) == whole.epochs


def test_threads_give_the_same_bits(config):
    assert same(trained(config, threads=1), trained(config, threads=3))


def test_seeds_differ_and_repeat(config):
    assert same(trained(config), trained(config))
    assert not same(trained(config), trained(config.replace(seed=1)))


def test_going_on_with_more_epochs_equals_asking_for_them_at_once(config, tmp_path):
    config = config.replace(schedule="constant")
    trained(config, tmp_path / "a")
    longer = config.replace(epochs=4)
    assert same(resumed(tmp_path / "a", longer), trained(longer))


def test_asking_for_the_memory_first_changes_no_bit(config, tmp_path):
    """A program that exists before heads are matched, or before a checkpoint is read, must not keep the old bounds."""
    wanted = trained(config)
    trained(config, tmp_path / "a", stop_after=2)
    for run in (None, Run.open(tmp_path / "a")):
        trainer = made(config, run)
        assert trainer.model.memory() > 0
        with ThreadTeam(1) as team:
            if run:
                trainer.restore(*run.checkpoint())
            trainer.train(team)
        assert same(trainer, wanted)


def test_a_finished_run_resumes_to_itself(config, tmp_path):
    assert same(trained(config, tmp_path / "a"), resumed(tmp_path / "a"))


def test_every_weight_of_the_rule_moves(config):
    start, end = made(config), trained(config).model.state()
    with ThreadTeam(1) as team:
        start.model.ready(start.stream, team)
    moved = {s.name for s in start.model.rule.synapses() if not np.array_equal(s.weight.array, end[s.name])}
    assert moved == {f"{letter}{n}" for letter in "WHF" for n in (1, 2, 3)}


def test_matched_heads_lie_the_threshold_apart(config):
    trainer = made(config)
    model, stream = trainer.model, trainer.stream
    with ThreadTeam(1) as team:
        model.ready(stream, team)
        first = Program(model.plan("all layers"), model.kernels)  # a model's own programs leave no activity behind
        model.network.plasticity.rate.array[0] = 0
        stream.load(0, 0)
        first.run(team)
    for units in model.rule.errors.values():
        z = units.view1.array
        assert abs(np.abs(z - np.roll(z, 1, axis=0)).sum(1).mean() - config.loss.options["threshold"]) < 1e-3


def test_the_rate_follows_its_schedule(config):
    for schedule, last in (("constant", 0.02), ("linear", 0.02 / 10), ("cosine", None)):
        trainer = trained(config.replace(schedule=schedule))
        rate = trainer.model.network.plasticity.rate.array[0]
        assert np.isclose(rate, last) if last else 0 < rate < 0.02 / 10


def test_memory_of_an_epoch_reaches_into_the_next(config):
    trainer = trained(config)
    moments = trainer.progress.done * config.training.batch
    for units in trainer.model.rule.errors.values():
        assert units.memory.cursor.array[0] == moments


def spoil(path, how):
    data = bytearray(path.read_bytes())
    if how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "altered":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    else:
        with np.load(path) as file:
            arrays = dict(file)
        if how == "rewritten":
            arrays["W1"] = arrays["W1"] + 1
        if how == "pickled":
            arrays["meta"] = np.array([{"format": 1}], dtype=object)
        if how == "version":
            arrays["meta"] = np.frombuffer(arrays["meta"].tobytes().replace(b'"format": 2', b'"format": 9'), np.uint8)
        np.savez(path, **arrays)


@pytest.mark.parametrize("how", ["cut", "empty", "altered", "rewritten", "pickled", "version"])
def test_a_spoiled_checkpoint_is_refused_in_one_line(config, tmp_path, how):
    trained(config, tmp_path / "a", stop_after=2)
    spoil(tmp_path / "a" / "checkpoint.npz", how)
    with pytest.raises(RunError) as caught:
        resumed(tmp_path / "a")
    assert "\n" not in str(caught.value) and "checkpoint" in str(caught.value)


@pytest.mark.parametrize("options", [{"network": "4 hardtanh, 7 pool, 5 pool"}, {"rule": "bp"}, {"plasticity": "sgd"}])
def test_a_checkpoint_of_another_network_or_rule_is_refused(config, tmp_path, options):
    trained(config, tmp_path / "a", stop_after=2)
    with pytest.raises(RunError, match="another network"):
        resumed(tmp_path / "a", config.replace(**options))


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(config, tmp_path, monkeypatch):
    trainer = trained(config, tmp_path / "a", stop_after=2)
    kept = (tmp_path / "a" / "checkpoint.npz").read_bytes()

    def full(file, **arrays):
        file.write(b"some")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(RunError, match="no space is left"):
        next(c for c in trainer.callbacks if isinstance(c, Checkpoints)).save(trainer)
    assert (tmp_path / "a" / "checkpoint.npz").read_bytes() == kept
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["checkpoint.npz", "config.json"]


def test_a_run_is_never_overwritten(config, tmp_path):
    trained(config, tmp_path / "a", stop_after=1)
    with pytest.raises(RunError, match="exists"):
        Run.create(tmp_path / "a", config, [])


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"batch": 41}, DataError, "40 training images and a batch of 41"),
        ({"rule": "dpt"}, WiringError, "unknown rule 'dpt'"),
        ({"rule": "dtp", "top": "bottom"}, WiringError, "unknown top 'bottom'"),
        ({"rule": "dtp", "noise": -1.0}, WiringError, "noise=-1; expected a number of at least 0"),
        ({"rule": "dtp", "target_step": 0.0}, WiringError, "target_step=0; expected a number above 0"),
        ({"rule": "dtp", "inverse_steps": 0}, WiringError, "inverse_steps=0; expected a whole number of at least 1"),
        ({"rule": "dtp", "inverse_first": -1}, WiringError, "inverse_first=-1; expected a whole number of at least 0"),
        (
            {"rule": "dtp", "inverse_rate": float("inf")},
            WiringError,
            "inverse_rate=inf; expected a number of at least 0",
        ),
        ({"rule": "dtp", "order": "greedy"}, WiringError, "rule dtp has no option order"),
        ({"rule": "dtp", "network": "4 pool, 4 pool, 4 pool, 4 pool"}, NeurosimError, "layer 4 pools 1x1"),
        ({"target_step": 0.5}, WiringError, "rule ll has no option target_step"),
        ({"rule": "bp", "order": "greedy"}, WiringError, "no option order"),
        ({"order": "sideways"}, WiringError, "unknown order 'sideways'"),
        ({"feedback": "psychic"}, WiringError, "unknown feedback 'psychic'"),
        ({"loss": "mse"}, WiringError, "unknown loss 'mse'"),
        ({"plasticity": "lamb"}, WiringError, "unknown plasticity 'lamb'"),
        ({"network": "4 hardtanh, 4 relu"}, WiringError, "layer 2"),
        ({"network": "4 pool, 4 pool, 4 pool, 4 pool"}, NeurosimError, "layer 4 pools 1x1"),
        ({"device": "tpu"}, WiringError, "unknown device 'tpu'"),
        ({"precision": "tf32"}, WiringError, "precision tf32 with device cpu"),
        ({"lags": 1}, WiringError, "lags=1"),
        ({"threshold": 1.0, "delta": 2.0}, WiringError, "threshold=1 and delta=2"),
        ({"rate": -1.0}, WiringError, "rate=-1"),
        ({"layer_rates": (1.0, 1.0)}, WiringError, "layer_rates with 2 numbers"),
        ({"threshold": float("nan")}, WiringError, "threshold=nan"),
        ({"loss": "hinge-mean", "delta": 5.0}, WiringError, "delta=5"),
        ({"loss": "simclr", "temperature": float("inf")}, WiringError, "temperature=inf"),
        ({"views": "motion"}, DataError, "has no frames"),
        ({"images": 41}, DataError, "40"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(config, options, kind, words):
    with pytest.raises(kind) as caught:
        made(config.replace(**options))
    text = str(caught.value)
    assert words in text and "; expected " in text and "\n" not in text


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"batch": 1},
        {"threads": 0},
        {"schedule": "steps"},
        {"readout": "svm"},
        {"precision": "int8"},
        {"seed": -1},
        {"readout_images": 1},
        {"labels": "100,5"},
        {"labels": "100;500"},
        {"labels": (100.5,)},
        {"labels": ()},
        {"labels": "100,500", "readout_images": 300},
        {"views": "sideways"},
        {"head_rate": -1.0},
        {"layer_rates": (1.0, -0.5)},
        {"layer_rates": (0.0, 0.0)},
        {"feedback_gain": float("nan")},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(WiringError, match="expected"):
        Config.resolve(**options)


def test_defaults_follow_the_rule_and_what_is_given_wins():
    for data in ("toys", "cifar10"):
        config = Config.resolve(rule="dtp", data=data)
        assert (config.network.name, config.loss.name, config.plasticity.name) == ("conv4-tanh", "hinge-mean", "adam")
        assert not config.rule.block
        given = Config.resolve(rule="dtp", data=data, network="small", rate=0.5)
        assert (given.network.name, given.plasticity.rate, given.plasticity.name) == ("small", 0.5, "adam")
    assert Config.resolve(rule="bp", data="cifar10").network.name == "conv5"


def test_layer_rates_of_photographs_belong_to_conv5_and_signum():
    still = (0.3, 1.0, 1.5, 1.5, 0.0)
    for rule in ("ll", "bp"):
        assert Config.resolve(rule=rule, data="cifar10").plasticity.layer_rates == still
    assert (
        Config.resolve(rule="urf", data="cifar10").plasticity.layer_rates[-1] > 0
    )  # or its feedback would never learn
    for given in ({"plasticity": "adam"}, {"network": "small"}, {"rule": "dtp"}, {"data": "toys"}):
        assert Config.resolve(**{"data": "cifar10", **given}).plasticity.layer_rates is None
    assert Config.resolve(data="cifar10", layer_rates=(1, 1, 1, 1, 1)).plasticity.layer_rates == (1, 1, 1, 1, 1)


@pytest.mark.parametrize("rule", ["ll", "urf"])
def test_each_layer_learns_at_its_own_rate_and_one_of_rate_0_stays_as_drawn(config, rule, tmp_path):
    whole = config.replace(rule=rule, schedule="constant", layer_rates=(0.5, 1.0, 0.0))
    trainer = trained(whole, tmp_path / "a")
    network = trainer.model.network
    drawn = made(whole).model.network
    moved = [
        np.abs(a.synapse.weight.array - b.synapse.weight.array).max() > 0
        for a, b in zip(network.projections, drawn.projections, strict=True)
    ]
    assert moved == [True, True, False]
    if rule == "ll":
        assert sorted(trainer.model.rule.errors) == [1, 2]  # the top layer has no head
    assert [p.rate.array[0] for p in network.layer_plasticities] == [0.01, 0.02, 0.0]
    assert Run.open(tmp_path / "a").config == whole


def test_files_of_a_run_may_be_read_by_whoever_may_read_new_files(tmp_path):
    (tmp_path / "plain").write_text("", encoding="utf-8")
    write_whole(tmp_path / "whole", lambda file: file.write(b"x"))
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_epochs_order_is_drawn_once_and_depends_on_seed_and_epoch_alone(config):
    stream, fresh = made(config).stream, made(config).stream
    assert stream.order(0) is stream.order(0)
    first = stream.order(0)
    assert sorted(first) == list(range(len(stream.data.train_images)))
    assert not np.array_equal(first, stream.order(1))
    stream.load(0, 1)  # back in the first epoch
    fresh.load(0, 1)
    assert np.array_equal(stream.order(0), first)
    assert np.array_equal(stream.stimulus.images.host(), fresh.stimulus.images.host())
    assert not np.array_equal(first, made(config.replace(seed=1)).stream.order(0))


def test_training_imports_no_scipy():
    code = "import neurosim.cli.train, sys; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
