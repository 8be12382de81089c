"""The front door: what a user types in Python, and gets."""

import subprocess
import sys

import numpy as np
import pytest

import neurosim as ns
from neurosim.data.dataset import Dataset
from neurosim.errors import DataError, NeurosimError, RunError, ShapeError, WiringError
from neurosim.experiment import Experiment
from neurosim.plasticity import find
from neurosim.rules.end_to_end import EndToEnd
from neurosim.training import stream
from neurosim.training.config import Config
from neurosim.training.trainer import Callback, Interrupted

FRONT_DOOR = """
experiment = ns.Experiment(rule="ll", data="toys", epochs=2, seed=1)   # the same words as the command line, the same defaults
experiment.fit()                          # progress where there is a terminal or a notebook; callbacks=[...]
print(experiment.readout())               # every layer beside its floor
features = experiment.encode(images)      # (N, rows, columns, channels) uint8 or float in, (N, D) float32 out; any layer
verdict = experiment.audit()
experiment.save("runs/a"); again = ns.load("runs/a")
"""
LOAD = stream.load
TINY = {"network": "4 hardtanh, 6 pool", "batch": 10, "epochs": 2, "rate": 0.02, "lags": 5}


@pytest.fixture(scope="module")
def pictures():
    """Sixty pictures of three kinds that differ in where they are bright, and their labels."""
    rng = np.random.default_rng(5)
    labels = np.arange(60) % 3
    images = rng.integers(0, 120, (60, 8, 8, 3))
    for kind in range(3):
        images[labels == kind, 2 * kind : 2 * kind + 3] += 120
    return images.astype(np.uint8), labels


@pytest.fixture
def few_toys(monkeypatch):
    """The built-in images, but only a few of them."""
    rng = np.random.default_rng(6)
    images, labels = rng.integers(0, 256, (230, 32, 32, 3)).astype(np.uint8), np.arange(230) % 10
    few = Dataset("toys", images[:200], labels[:200], images[200:], labels[200:], tuple("abcdefghij"))
    monkeypatch.setattr("neurosim.training.stream.load", lambda *_, **__: few)
    return few


def trained(**keywords):
    """An experiment that has been fitted."""
    return Experiment(**{**TINY, **keywords}).fit()


def test_the_front_door_word_for_word(few_toys, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"ns": ns, "images": few_toys.test_images}
    learning, audited, rest = FRONT_DOOR.partition("verdict =")
    exec(learning, names)
    monkeypatch.setattr("neurosim.training.stream.load", LOAD)  # the audit reports what was replaced in memory
    exec(audited + rest, names)
    experiment, features, again = names["experiment"], names["features"], names["again"]
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("linear read-out, % of test images: trained, untrained, difference")
    assert printed[1].split() == ["labels", "100", "(10", "draws)", "200"]
    assert [line[:8] for line in printed[2:8]] == [*(f"layer {n} " for n in range(1, 5)), "together", "best    "]
    assert features.shape == (30, 2 * 2 * 256) and features.dtype == np.float32
    assert names["verdict"].plausible
    assert np.array_equal(again.encode(few_toys.test_images), features)
    assert again.progress.done == experiment.progress.done == 4


def test_keywords_are_the_words_of_the_command_line_with_its_defaults(few_toys):
    words = {"rule": "urf", "layer_rates": (1.0, 1.0, 0.5, 0.0), "epochs": 3}
    assert Experiment(**words).config == Config.resolve(**words)
    assert Experiment(Config.resolve(**words), seed=3).config == Config.resolve(**words, seed=3)


def test_the_recipe_is_that_of_the_data(few_toys, pictures):
    photographs = Config.resolve(data="cifar10", network="4 hardtanh, 6 pool")
    for data in (pictures, pictures[0], Dataset("mine", *pictures, None, None, ("a", "b", "c"))):
        own = Experiment(data=data, network="4 hardtanh, 6 pool").config
        assert (own.plasticity, own.loss, own.training) == (
            photographs.plasticity,
            photographs.loss,
            photographs.training,
        )
    toys = Experiment(data=few_toys).config
    assert (toys.plasticity.rate, toys.loss.options["lags"], toys.network.name) == (0.01, 5, "small")


def test_any_layer_of_pictures_uint8_or_float(pictures):
    experiment = Experiment(data=pictures, **TINY)
    images = pictures[0][:7]
    for layer, size in ((1, 4 * 4 * 4), (2, 4 * 4 * 6), (None, 4 * 4 * 6)):
        seen = experiment.encode(images, layer)
        assert seen.shape == (7, size) and seen.dtype == np.float32
        assert np.array_equal(experiment.encode(images / 255, layer), seen)
    assert Experiment(data=pictures, **TINY, precision="float64").encode(images).dtype == np.float32
    assert experiment.encode(images[:0]).shape == (0, 4 * 4 * 6)


@pytest.mark.parametrize(
    ("images", "layer", "words"),
    [
        (np.zeros((3, 8, 9, 3), np.uint8), None, "(sample, 8, 8, 3), as the network was built for"),
        (np.zeros((3, 8, 8, 3), np.int64), None, "images of int64"),
        (np.full((3, 8, 8, 3), 255.0), None, "0 .. 1 for floating numbers"),
        (np.full((3, 8, 8, 3), np.nan), None, "0 .. 1 for floating numbers"),
        (np.zeros((3, 8, 8, 3), np.uint8), 3, "layer 3; expected 1 to 2"),
        (np.zeros((3, 8, 8, 3), np.uint8), 0, "layer 0; expected 1 to 2"),
    ],
)
def test_what_cannot_be_encoded_is_refused_in_one_line(pictures, images, layer, words):
    with pytest.raises(DataError) as caught:
        Experiment(data=pictures, **TINY).encode(images, layer)
    assert words in str(caught.value)


def test_every_layer_beside_the_floor_which_is_the_untrained_network(pictures):
    """The floor is no read-out of trained weights: it is what the experiment read out before it was fitted."""
    experiment = Experiment(data=pictures, **TINY, readout="hinge")
    before = experiment.readout()
    assert before.accuracy == before.floor and before.learned == () and before.gain is None
    drawn = experiment.encode(pictures[0])
    after = experiment.fit().readout()
    assert not np.array_equal(experiment.encode(pictures[0]), drawn)
    assert after.floor == before.floor
    with np.testing.assert_raises(AssertionError):
        np.testing.assert_array_equal(*(e.features(pictures[0], _team())[-1] for e in _encoders(experiment)))
    told = after.to_json()
    assert told["floor_accuracy"] == after.floor[-1] and [row["layer"] for row in told["per_layer"]] == [1, 2]
    assert told["learned_layers"] == [1, 2] and told["headline"]["layer"] == 2


def test_the_headline_is_a_layer_that_learned(pictures):
    """A rate of 0 leaves a layer as it was drawn: it is none, whatever learned below it."""
    readout = trained(data=pictures, layer_rates=(1.0, 0.0)).readout()
    assert readout.learned == (1,) and readout.headline == 1 and set(readout.gain.layers) == {1}
    assert readout.to_json()["test_accuracy"] == readout.accuracy[0]


def test_labels_are_those_of_the_curve_and_the_largest_is_what_the_read_out_sees(pictures, tmp_path):
    experiment = trained(data=pictures, labels="12,30")
    assert experiment.config.readout.images == 30 and [p.labels for p in experiment.readout().curve] == [12, 30]
    experiment.save(tmp_path / "a")
    for words, wanted in (
        ({}, [12, 30]),
        ({"labels": "12,40,80"}, [12, 40, 48]),
        ({"labels": (12, 20)}, [12, 20]),
        ({"readout_images": 20}, [20]),
        ({"labels": "15", "readout_images": 40}, [15, 40]),
    ):
        again = ns.load(tmp_path / "a", data=pictures, **words)
        assert [point.labels for point in again.readout().curve] == wanted
    with pytest.raises(WiringError, match="labels=40 beside readout_images=20"):
        ns.load(tmp_path / "a", data=pictures, labels="40", readout_images=20)


def _encoders(experiment):
    return experiment.model.encoder(), experiment.model.encoder(untrained=True)


def _team():
    from neurosim.engine.program import ThreadTeam

    return ThreadTeam(1)


def test_saved_and_loaded_it_goes_on_to_the_same_bits(pictures, tmp_path):
    whole = trained(data=pictures)

    class Stop(Callback):
        def on_batch(self, trainer):
            if trainer.progress.done == 5:
                trainer.stop()

    part = Experiment(data=pictures, **TINY)
    with pytest.raises(Interrupted):
        part.fit(tmp_path / "a", [Stop()])
    again = ns.load(tmp_path / "a", data=pictures)
    assert again.progress.done == 5 and not _same(again, whole)
    assert _same(again.fit(), whole)
    assert len(again.run.metrics()) == again.trainer.epochs
    unfitted = Experiment(data=pictures, **TINY)
    unfitted.save(tmp_path / "b")  # its heads are not matched yet, nor are they after loading
    assert _same(Experiment.resume(tmp_path / "b", data=pictures), whole)


def _same(a, b):
    first, second = a.model.state(), b.model.state()
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_what_no_file_holds_is_asked_for_again(pictures, tmp_path):
    class Mine(EndToEnd):
        """One of mine."""

        feedback = "rf"

    experiment = trained(data=pictures, rule=Mine)
    experiment.save(tmp_path / "a")
    with pytest.raises(
        RunError, match=r"the rule of .* was given from Python .*; write load\(.*, rule=\.\.\.\)"
    ) as caught:
        ns.load(tmp_path / "a")
    assert "\n" not in str(caught.value)
    again = ns.load(tmp_path / "a", rule=Mine)
    assert np.array_equal(again.encode(pictures[0]), experiment.encode(pictures[0]))  # which needs no data
    with pytest.raises(
        RunError, match=r"the data were given from Python; expected .*; write load\(path, data=\.\.\.\)"
    ):
        again.readout()
    with pytest.raises(RunError, match="for a run of"):
        ns.load(tmp_path / "a", rule="bp")


def test_parts_may_be_classes_and_objects(pictures):
    by_name = trained(data=pictures, rule="ll")
    assert _same(trained(data=pictures, rule=ns.rules.LayerWise), by_name)
    assert _same(trained(data=pictures, rule=lambda network, loss: ns.rules.LayerWise(network, loss)), by_name)
    signum = trained(data=pictures, plasticity=find("signum"))
    assert _same(signum, by_name) and _same(trained(data=pictures, plasticity=find("signum")(rate=0.02)), by_name)
    loss = ns.losses.Hinge(lags=5, negative_weight=1.0)
    words = {name: value for name, value in TINY.items() if name != "lags"}
    assert _same(Experiment(data=pictures, loss=loss, **words).fit(), by_name)


def test_a_rule_wired_by_hand_is_trained_as_it_is(pictures):
    network = ns.Network("4 hardtanh, 6 pool", image=(8, 8, 3), pairs=10, seed=0)
    rule = ns.rules.LayerWise(network, ns.losses.Hinge(lags=5), order="greedy")
    experiment = Experiment(rule=rule, data=pictures, epochs=1)
    before = {s.name: s.weight.array.copy() for s in rule.synapses()}
    assert experiment.preflight().plausible and experiment.audit().plausible
    assert all(np.array_equal(s.weight.array, before[s.name]) for s in rule.synapses())  # an audit changes nothing
    assert experiment.fit().model.network is network and experiment.progress.epoch == 2
    assert not np.array_equal(network.projections[0].synapse.weight.array, before["W1"])
    with pytest.raises(ShapeError, match="a network for images of 8x8x3"):
        Experiment(rule=rule, data=np.zeros((20, 12, 12, 3), np.uint8))
    with pytest.raises(RunError, match="batch=5 beside a network that has 10"):
        Experiment(rule=rule, data=pictures, batch=5)


def test_the_audit_comes_before_training(pictures, tmp_path):
    experiment = Experiment(data=pictures, rule="bp", **TINY)
    with pytest.raises(NeurosimError, match="bp is not plausible"):
        experiment.fit(tmp_path / "a", plausible=True)
    assert experiment.progress.done == 0 and not (tmp_path / "a").exists()
    experiment.fit(tmp_path / "a")
    assert (tmp_path / "a" / "audit.json").is_file()


def test_callbacks_of_the_experiment_and_of_the_call(pictures):
    seen = []

    class Note(Callback):
        def __init__(self, name):
            self.name = name

        def on_start(self, trainer):
            seen.append((self.name, "start", trainer.progress.done))

        def on_epoch(self, trainer):
            seen.append((self.name, "epoch", len(trainer.rows)))

        def on_stop(self, trainer):
            seen.append((self.name, "stop", trainer.progress.done))

    Experiment(data=pictures, **TINY, callbacks=[Note("a")]).fit(callbacks=[Note("b")])
    places = [("start", 0), ("epoch", 1), ("epoch", 2), ("stop", 8)]
    assert seen == [(name, *place) for place in places for name in "ab"]


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"rule": "dpt"}, "unknown rule 'dpt'"),
        ({"batch": 61}, "a batch of 61"),
        ({"crop": 10}, "crop"),
        ({"data": 3}, "data"),
        ({"diagnose_every": 0}, "diagnose"),
    ],
)
def test_half_made_experiments_cannot_be_had(pictures, keywords, words):
    with pytest.raises(NeurosimError) as caught:
        Experiment(**{**TINY, "data": pictures, **keywords})
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_crop_of_large_pictures_is_not_refused_before_they_are_known():
    data = np.random.default_rng(0).integers(0, 256, (4, 512, 512, 3)).astype(np.uint8)
    experiment = Experiment(data=data, crop=320, network="2 hardtanh, 3 pool", batch=2)
    assert experiment.model.network.populations[0].shape == (320, 320, 3)
    with pytest.raises(DataError, match="512"):
        Experiment(data=data, crop=514, network="2 hardtanh, 3 pool", batch=2)


def test_a_loaded_run_may_change_what_changes_no_array(pictures, tmp_path):
    trained(data=pictures).save(tmp_path / "a")
    assert ns.load(tmp_path / "a", data=pictures, readout="knn").readout().method == "knn"
    with pytest.raises(RunError, match=r"rate=0\.5 for a run that is there"):
        ns.load(tmp_path / "a", rate=0.5)
    with pytest.raises(RunError, match="epochs=1 for a run of 2"):
        ns.load(tmp_path / "a", epochs=1)
    with pytest.raises(RunError, match="exists"):
        Experiment(data=pictures, **TINY).save(tmp_path / "a")


def run(code):
    """What a new interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, timeout=60
    ).stdout


def test_importing_is_quick_and_imports_nothing_heavy():
    code = """
import sys, time
before, began = set(sys.modules), time.perf_counter()
import neurosim
assert time.perf_counter() - began < 0.15
print(*(set(sys.modules) - before))
"""
    new = {name.split(".")[0] for name in run(code).split()}
    assert not new & {"numpy", "scipy", "click", "threadpoolctl", "PIL", "matplotlib", "cupy"}
    assert {name for name in run(code).split() if name.startswith("neurosim")} == {"neurosim"}


def test_what_the_package_shows():
    assert {"Experiment", "load", "Network", "rules", "losses", "plasticity", "audit", "errors"} < set(dir(ns))
    assert ns.rules.LayerWise.name == "ll" and ns.losses.Hinge.name == "hinge" and "LayerWise" in dir(ns.rules)
    for home, word in ((ns, "Session"), (ns.rules, "Nothing"), (ns.losses, "nothing")):
        with pytest.raises(AttributeError, match=word):
            getattr(home, word)


def test_python_m_neurosim_is_the_command():
    told = subprocess.run(
        [sys.executable, "-m", "neurosim", "--help"], capture_output=True, encoding="utf-8", check=True, timeout=60
    )
    assert told.stdout.startswith("Usage: neurosim ")


def test_wired_rules_are_not_diagnosed(pictures):
    network = ns.Network("4 hardtanh, 6 pool", image=(8, 8, 3), pairs=10)
    rule = ns.rules.LayerWise(network, ns.losses.Hinge(lags=5))
    with pytest.raises(WiringError, match="diagnose_every with a rule that is wired already"):
        Experiment(rule=rule, data=pictures, epochs=1, diagnose_every=2).fit()


BY_HAND = """
network = ns.Network("32 hardtanh, 32 pool", image=(32, 32, 3), seed=0)      # and by hand, part by part
rule = ns.rules.LayerWise(network, ns.losses.Hinge(lags=5), feedback="urf", order="greedy")
print(rule.plan("layer 2"))
ns.audit.check(rule).require_plausible()
"""


def test_by_hand_word_for_word():
    exec(BY_HAND, {"ns": ns})
