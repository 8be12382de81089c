"""Diagnostics: right by hand, on copies of their own, to the same bits of the run with and without them."""

import os
import signal

import numpy as np
import pytest

from neurosim.diagnostics import observer
from neurosim.diagnostics.observer import Diagnosis, Observer, angle, transposed
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import NeurosimError, WiringError
from neurosim.experiment import Experiment
from neurosim.kernels.convolution import convolve, deliver_convolution
from neurosim.kernels.inverse import upconvolve
from neurosim.networks.network import Network
from neurosim.plasticity import make as make_plasticity
from neurosim.report import page
from neurosim.training.callbacks import Checkpoints, Each, Metrics, Signals
from neurosim.training.config import Config
from neurosim.training.folder import Run
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream, load_data
from neurosim.training.trainer import Interrupted, Trainer

NETWORK = "4 hardtanh, 6 pool, 5 tanh pool"


def make(archive, **options):
    given = {"data": str(archive), "network": NETWORK, "batch": 7, "epochs": 2, "lags": 3, "threads": 2, **options}
    if given.get("loss", "hinge-mean" if given.get("rule") == "dtp" else "hinge") != "hinge":
        del given["lags"]
    return Config.resolve(**given)


def begun(config, run=None, on_batch=lambda progress: None):
    """A trainer that has not begun, with diagnoses where they are asked for."""
    data = load_data(config)
    model, every = Model(config, data.image_shape), config.training.diagnose_every
    callbacks = [Diagnosis(Observer(model, data), every)] if every else []
    callbacks += [Metrics(run), Checkpoints(run, 1e9)] if run else []
    return Trainer(model, ViewStream(model, data), [*callbacks, Each(on_batch), Signals()])


def trained(config, folder=None, stop_after=None):
    def on_batch(progress):
        if progress.done == stop_after:
            os.kill(os.getpid(), signal.SIGINT)

    run = Run.create(folder, config, []) if folder else None
    trainer = begun(config, run, on_batch)
    with ThreadTeam(2) as team:
        try:
            trainer.train(team)
        except Interrupted:
            assert stop_after
    return trainer


def observed(config):
    """The observer of a trainer that has not begun."""
    trainer = begun(config)
    return Observer(trainer.model, trainer.stream.data)


def same(a, b):
    first, second = a.model.state(), b.model.state()
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


RULES = {
    "bp": {"rule": "bp"},
    "rf": {"rule": "rf"},
    "sign": {"rule": "sign"},
    "urf simclr": {"rule": "urf", "loss": "simclr"},
    "ll greedy": {"order": "greedy", "feedback": "rf"},
    "ll random": {"order": "random", "feedback": "sign"},
    "ll": {"plasticity": "adam", "rate": 1e-3},
    "none": {"rule": "none"},
    "dtp": {
        "rule": "dtp",
        "network": "4 bias tanh pool, 5 bias hardtanh, head bias tanh",
        "inverse_steps": 2,
        "inverse_first": 3,
    },
    "clapp": {"loss": "clapp", "crop": 8, "patch": 4},
    "untied": {"rule": "urf", "network": "4 local hardtanh, 5 tanh pool"},
}

HEADLESS = {  # bp has nothing to send down, or not everywhere
    "hebb": {"rule": "hebb", "views": "deform", "network": "4 5x5 saturating average, 6 saturating pool"},
    "a rule a layer": {"rule": "hebb,ll", "network": "4 saturating, 5 hardtanh pool"},
}


@pytest.mark.parametrize("options", [*RULES.values(), *HEADLESS.values()], ids=[*RULES, *HEADLESS])
def test_what_is_looked_at_never_feels_it(archive, tmp_path, options):
    """Every bit of the run is the same with and without diagnoses, and after a stop between two of them."""
    config = make(archive, **options)
    looked = config.replace(diagnose_every=3)
    plain, seen = trained(config), trained(looked, tmp_path / "whole")
    assert same(plain, seen)
    timeless = [[{k: v for k, v in row.items() if "second" not in k} for row in t.rows] for t in (plain, seen)]
    assert timeless[0] == timeless[1]
    batches = seen.progress.done
    places = sorted({*range(0, batches + 1, 3), batches})
    assert [row["images"] for row in seen.diagnoses] == [7 * place for place in places]
    if batches:
        stopped = trained(looked, tmp_path / "part", stop_after=4)
        assert stopped.progress.done == 4
        part = Run.open(tmp_path / "part")
        on = begun(looked, part)
        on.restore(*part.checkpoint())
        with ThreadTeam(1) as team:
            on.train(team)
        assert same(on, plain) and on.diagnoses == seen.diagnoses
    run = Run.open(tmp_path / "whole")
    assert len(run.metrics()) == seen.epochs and len(run.diagnoses()) == len(places)


@pytest.mark.parametrize("options", RULES.values(), ids=RULES)
def test_every_rule_is_told_of(archive, options):
    seen = trained(make(archive, **options).replace(diagnose_every=100)).diagnoses
    network = begun(make(archive, **options)).model.network
    rule = options.get("rule", "ll")
    for row in seen:
        layers = range(1, len(network) + 1)
        for n in layers:
            for name in (f"sparsity_{n}", f"dead_{n}", f"saturated_{n}", f"readout_{n}"):
                assert 0 <= row[name] <= 1, name
            assert 1 <= row[f"dimension_{n}"] < 2 * network.pairs and 0 < row[f"common_{n}"] <= 1
        heads = {name.removeprefix("dimension_head_") for name in row if name.startswith("dimension_head_")}
        assert heads == {name.removeprefix("active_") for name in row if name.startswith("active_")}
        assert all(1 <= row[f"dimension_head_{n}"] < 2 * network.pairs and row[f"common_head_{n}"] <= 1 for n in heads)
        updates = [row.get(f"update_angle_W{n}") for n in layers]
        assert (rule == "none") == (updates == [None] * len(layers))
        assert rule != "bp" or updates == pytest.approx([0.0] * len(layers), abs=1e-4)
        angles = {name: value for name, value in row.items() if name.startswith("feedback_angle_")}
        assert ({name for name in row if name.startswith("inverse_")} == {"inverse_G2", "inverse_Q2"}) == (
            rule == "dtp"
        )
        letters = {"ll": "F", "dtp": "GQ", "none": ""}.get(rule, "BF" if rule != "bp" else "WH")
        assert {name.split("_")[-1][0] for name in angles} == set(letters)
        assert all(0 <= value <= 180 for value in angles.values())
        assert rule != "bp" or list(angles.values()) == pytest.approx([0] * len(angles), abs=1e-4)
    if options.get("plasticity") == "adam":  # what learns by the same products comes nearer
        assert all(seen[-1][name] < seen[0][name] for name in angles)


def test_angles_between_updates_by_finite_means(archive):
    """The observer's direction of bp is the one that a bp run sums on the same weights, images and draws."""
    mine, other = begun(make(archive, rule="rf")), begun(make(archive, rule="bp"))
    with ThreadTeam(1) as team:
        seen = Observer(mine.model, mine.stream.data).measure(team)
        found = []
        for one, stream in ((mine.model, mine.stream), (other.model, other.stream)):
            for epoch in (observer.ASIDE + 1, observer.ASIDE):
                for plasticity in one.rule.plasticities():
                    plasticity.rate.array[0] = 0
                stream.load(epoch, 0)
                one.rule.draw(epoch, 0)
                Program(one.plan("all layers"), one.kernels).run(team)
            found.append([p.synapse.change.array.copy() for p in one.network.projections])
    for n, (own, theirs) in enumerate(zip(*found, strict=True), 1):
        assert seen[f"update_angle_W{n}"] == pytest.approx(angle(own, theirs), abs=1e-6)
    assert seen["update_angle_W3"] > 1
    for back in mine.model.rule.feedbacks:
        told = angle(back.synapse.weight.array, back.projection.synapse.weight.array)
        assert seen[f"feedback_angle_{back.synapse.name}"] == pytest.approx(told)


def test_top_layer_of_dtp_and_layerwise_bp_are_where_they_must_be(archive):
    """Layer-wise learning with transported heads is its own reference; without it the angle is open."""
    with ThreadTeam(1) as team:
        straight = observed(make(archive, feedback="bp", order="greedy")).measure(team)
        random = observed(make(archive, feedback="rf")).measure(team)
    assert all(straight[f"update_angle_W{n}"] == pytest.approx(0, abs=0.05) for n in (1, 2, 3))
    assert all(random[f"update_angle_W{n}"] > 20 for n in (1, 2, 3))


def test_units_by_hand(archive):
    trainer = begun(make(archive, rule="none", network="4 hardtanh, 6 tanh"))
    weight = trainer.model.network.projections[0].synapse.weight.array
    weight[..., 0] = 0  # silent, so dead
    weight[..., 1] *= 1e6  # shut
    with ThreadTeam(1) as team:
        seen = Observer(trainer.model, trainer.stream.data).measure(team)
    assert seen["dead_1"] >= 0.25 and 0.2 < seen["saturated_1"] < 0.75 and seen["dead_2"] < 0.1
    assert 0.2 < seen["sparsity_1"] < 0.9
    assert "active_1" not in seen and not [name for name in seen if "angle" in name]


def test_angles_by_hand():
    assert angle(np.array([1.0, 0]), np.array([0, 2.0])) == pytest.approx(90)
    assert angle(np.array([[1.0]]), np.array([[-3.0]])) == pytest.approx(180)
    assert angle(np.zeros(2), np.ones(2)) is None
    rng = np.random.default_rng(0)
    assert angle(*rng.standard_normal((2, 10**5))) == pytest.approx(90, abs=1)


@pytest.mark.parametrize(
    "text", ["3 linear, 4 linear, 5 linear", "3 linear, 4 pool, 5 linear", "3 tanh, 4 local pool, 2 tanh"]
)
def test_an_inverse_that_transports_stands_at_no_angle(text):
    """Carried down by `transposed`, an activity arrives as the transposed forward weights would deliver it."""
    network = Network(text, (8, 8, 2), 2, dtype=np.float64)
    for projection in network.projections[1:]:
        if projection.synapse.weight.array.ndim == 6:
            projection.synapse.weight.array[...] = projection.synapse.weight.array[:1, :1]
        inverse = network.inverse(projection, make_plasticity("sgd"))
        assert transposed(inverse).shape == inverse.synapse.shape
        inverse.synapse.weight.array[...] = transposed(inverse)
        rows, columns, channels = inverse.above.shape
        x = np.zeros((1, rows, columns, channels))
        x[0, rows // 2, columns // 2] = np.random.default_rng(1).standard_normal(channels)
        found = np.zeros((1, *inverse.below.shape))
        weight = projection.synapse.weight.array
        weight = weight[0, 0] if weight.ndim == 6 else weight
        if not inverse.path.widens:
            convolve.form("reference")(x, inverse.synapse.weight.array, found)
            wanted = np.zeros_like(found)
            deliver_convolution.form("reference")(x, weight, wanted)
            np.testing.assert_allclose(found, wanted, atol=1e-12)
            continue
        upconvolve.form("reference")(x, inverse.synapse.weight.array, found)
        wanted = np.zeros_like(found)
        for r, c in np.ndindex(2, 2):  # each place of the window a quarter of the time
            large = np.zeros((1, *inverse.below.shape[:2], channels))
            large[:, r::2, c::2] = x / 4
            one = np.zeros_like(found)
            deliver_convolution.form("reference")(large, weight, one)
            wanted += one
        top, left = 2 * (rows // 2) - 1, 2 * (columns // 2) - 1  # as far as the inverse reaches
        part = (slice(None), slice(top, top + 3), slice(left, left + 3))
        np.testing.assert_allclose(found[part], wanted[part], atol=1e-12)


def test_the_report_shows_the_curves(archive, tmp_path):
    config = make(archive, diagnose_every=5)
    trainer = trained(config, tmp_path / "run")
    run = Run.open(tmp_path / "run")
    run.save_results(
        {
            "test_accuracy": None,
            "floor_accuracy": None,
            "per_layer": [],
            "wiring": [],
            "seconds": 1.0,
            "images_per_second": 1.0,
        }
    )
    text = page.page(run, {"W1": trainer.model.network.projections[0].synapse.weight.array})
    assert "What an observer saw" in text and text.count("<svg") == 2
    for row, told in zip(trainer.diagnoses, run.diagnoses(), strict=True):
        assert {name: float(value) for name, value in told.items()} == {k: v for k, v in row.items() if v is not None}


def test_what_cannot_be_diagnosed_is_an_error(archive, tmp_path):
    with pytest.raises(WiringError, match="diagnose_every=0; expected a whole number of at least 1"):
        make(archive, diagnose_every=0)
    few = np.load(archive)
    path = tmp_path / "few.npz"  # more kinds than the small read-out has pictures of
    np.savez(path, images=few["images"], labels=np.arange(40), test_images=few["images"], test_labels=np.arange(40))
    with pytest.raises(NeurosimError, match="expected"):
        trained(make(str(path), diagnose_every=1))


def test_a_broken_diagnostic_stops_the_run(archive, monkeypatch):
    monkeypatch.setattr(observer, "transposed", lambda inverse: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        trained(make(archive, **RULES["dtp"], diagnose_every=1))


def test_without_labels_there_is_no_read_out(archive, tmp_path):
    path = tmp_path / "bare.npz"
    np.savez(path, images=np.load(archive)["images"])
    seen = trained(make(str(path), diagnose_every=50)).diagnoses[-1]
    assert "update_angle_W1" in seen and not [name for name in seen if name.startswith("readout")]


@pytest.mark.parametrize("options", [{"rule": "sign"}, {}, RULES["dtp"]], ids=["sign", "ll", "dtp"])
def test_a_gpu_is_told_of_as_a_cpu_is(archive, host_machine, monkeypatch, options):
    """By the GPU's kernels as plain C++, the same numbers; what is looked at stays where it is."""
    from neurosim.kernels import devices

    kernels = host_machine.gpu()
    monkeypatch.setattr(
        "neurosim.training.model.backend", lambda device, *_: kernels if device == "gpu" else devices.backend(device)
    )
    here = trained(make(archive, **options, epochs=1, diagnose_every=100)).diagnoses
    there = trained(make(archive, **options, epochs=1, diagnose_every=100, device="gpu")).diagnoses
    assert len(here) == len(there) == 2
    for mine, theirs in zip(here, there, strict=True):
        assert mine.keys() == theirs.keys()
        assert all(theirs[name] == pytest.approx(value, rel=0.02, abs=0.02) for name, value in mine.items())


def test_without_an_error_everything_else_is_measured(archive):
    seen = trained(make(archive, **HEADLESS["hebb"], diagnose_every=50)).diagnoses[-1]
    assert not [name for name in seen if name.startswith(("update_angle", "active", "dimension_head"))]
    assert {"sparsity_1", "dead_2", "dimension_2", "saturated_1", "common_1", "readout_2"} <= set(seen)


@pytest.mark.parametrize("options", [{}, HEADLESS["hebb"]], ids=["ll", "hebb"])
def test_a_run_may_be_diagnosed_after_the_fact(archive, tmp_path, options):
    """Asked for where training goes on, or at its end: the weights are the same bits as without."""
    config = make(archive, **options)
    plain, part = trained(config), Experiment(config)
    with pytest.raises(Interrupted):
        part.fit(tmp_path / "part", [Each(lambda progress: progress.done == 4 and part.trainer.stop())])
    on = Experiment.load(tmp_path / "part", diagnose_every=3).fit()
    assert same(on, plain)
    batches = on.progress.done
    assert [row["images"] for row in on.trainer.diagnoses] == [
        7 * n for n in sorted({4, *range(6, batches, 3), batches})
    ]
    assert Run.open(tmp_path / "part").config.training.diagnose_every == 3
    rows = Run.open(tmp_path / "part").diagnoses()
    assert len(rows) == len(on.trainer.diagnoses) and "readout_1" in rows[-1]
    later = Experiment.load(tmp_path / "part").fit()
    assert same(later, plain) and later.trainer.diagnoses == on.trainer.diagnoses
