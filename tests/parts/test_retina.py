"""Centre-surround: a filter that decorrelates what is correlated as in natural images, before the first layer."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.parts.retina import COLOURS, FIELD, LENGTH, VARIANCE, centre_surround
from neurosim.parts.stimulus import Stimulus
from neurosim.rules import make


def natural(count, size, channels, seed=0):
    """Gaussian patches with the covariance that the filter is made for."""
    at = np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij"), -1).reshape(-1, 2)
    distance = np.linalg.norm(at[:, None] - at[None], axis=-1)
    colours = np.full((channels, channels), COLOURS) + (1 - COLOURS) * np.eye(channels)
    root = np.linalg.cholesky(
        VARIANCE * np.kron(np.exp(-distance / LENGTH), colours) + 1e-9 * np.eye(size**2 * channels)
    )
    drawn = np.random.default_rng(seed).normal(size=(count, size**2 * channels)) @ root.T
    return drawn.reshape(count, size, size, channels)


def filtered(x, kernel):
    size = x.shape[1] - FIELD + 1
    seen = np.lib.stride_tricks.sliding_window_view(x, (FIELD, FIELD), (1, 2))
    return np.einsum("nrckij,ijko->nrco", seen[:, :size, :size], kernel)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_neighbours_and_colours_share_is_taken_off(channels):
    x = natural(400, 12, channels)
    y = filtered(x, centre_surround(channels))

    def alike(z):
        return np.corrcoef(z[:, 2, 2, 0], z[:, 2, 3, 0])[0, 1]

    assert alike(x) > 0.9
    assert abs(alike(y)) < 0.7
    if channels == 3:
        assert np.corrcoef(y[:, 2, 2, 0], y[:, 2, 2, 2])[0, 1] < np.corrcoef(x[:, 2, 2, 0], x[:, 2, 2, 2])[0, 1]


def test_every_filter_is_a_centre_with_an_opposite_surround():
    kernel, middle = centre_surround(3), FIELD // 2
    for colour in range(3):
        own = kernel[:, :, colour, colour]
        assert own[middle, middle] == own.max() > 0
        assert own[middle, middle - 1] < 0 and own[middle - 1, middle] < 0
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-12)


def test_the_image_population_holds_what_the_filter_left():
    network = Network("centre-surround, 4 pool", (8, 8, 3), 1, dtype=np.float64)
    stimulus = Stimulus(network.image)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.uint8)
    stimulus.load(pictures)
    plan = Plan("see", stimulus.present(), [network.image.activity])
    with ThreadTeam(1) as team:
        Program(plan, Backend("cpu")).run(team)
    pixels = np.pad(pictures / 127.5 - 1, ((0, 0), (3, 3), (3, 3), (0, 0)))
    np.testing.assert_allclose(network.image.activity.array, filtered(pixels, centre_surround(3)), atol=1e-6)
    assert str(network) == "centre-surround, 4 pool"


def test_every_rule_learns_behind_it():
    for rule in ("ll", "bp", "hebb"):
        options = {"plasticity": "bounded"} if rule == "hebb" else {}
        asked = {"network": "centre-surround, 4 hardtanh, 4 pool", "images": 20, "batch": 10, "epochs": 1, "threads": 1}
        experiment = ns.Experiment(rule=rule, **asked, **options)
        before = {s.name: s.weight.host().copy() for s in experiment.model.rule.synapses()}
        fixed = experiment.model.network.image.synapse.weight.host().copy()
        experiment.fit()
        assert all((s.weight.host() != before[s.name]).any() for s in experiment.model.rule.synapses())
        assert np.array_equal(experiment.model.network.image.synapse.weight.host(), fixed)
        assert experiment.encode(experiment.data.test_images[:3]).shape[0] == 3


def test_a_learned_stage_takes_off_what_the_surround_tells(tmp_path):
    """After training, what a unit answers is less like its neighbours' input and less like its neighbours' answers."""
    pictures = np.clip(natural(60, 12, 3) * 80 + 128, 0, 255).astype(np.uint8)
    asked = {"network": "centre-surround learned, 4 inhibited", "batch": 10, "batches": 5, "epochs": 30, "threads": 1}
    experiment = ns.Experiment(rule="hebb", data=pictures, **asked)
    assert experiment.model.rule.phases == ("layer 0", "layer 1")
    image = experiment.model.network.image
    before = image.synapse.weight.host().copy()
    experiment.fit(tmp_path / "run")
    after = image.synapse.weight.host()
    middle = FIELD // 2
    assert (after[middle, middle - 1, 0, 0] < before[middle, middle - 1, 0, 0]) and after[middle, middle, 0, 0] > 0

    def alike(kernel):
        y = filtered(natural(300, 12, 3, seed=1), kernel)
        return np.corrcoef(y[:, 2, 2, 0], y[:, 2, 3, 0])[0, 1]

    assert alike(after) < alike(before) - 0.1
    again = ns.load(tmp_path / "run", data=pictures)
    assert np.array_equal(again.model.network.image.synapse.weight.host(), after)
    assert np.array_equal(again.encode(pictures[:3]), experiment.encode(pictures[:3]))


def test_a_learned_stage_learns_beside_any_rule_that_works_layer_by_layer():
    for rule in ("ll", "hebb,ll"):
        network = Network("centre-surround learned, 4 inhibited, 4 pool", (8, 8, 3), 2)
        made = make(rule, network, make_loss("hinge"), order="simultaneous")
        weights = {b.base.name for step in made.plan("all layers") for b in step.updates.values() if b.role.is_weight}
        assert "R0" in weights
        assert "rate 0" in {plasticity.rate.name for plasticity in made.plasticities()}
