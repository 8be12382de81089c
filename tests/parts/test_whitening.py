"""Whitened patches: at every place the units of the patch around it, decorrelated as natural patches ask for."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import NeurosimError
from neurosim.networks.network import Network
from neurosim.parts.stimulus import Stimulus
from neurosim.parts.whitening import NOISE, patch_covariance, whitening
from neurosim.training.assembly import make_encoder

TEXT = "whitened 4x4, 6 1x1 saturating average"


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_natural_patches_come_out_decorrelated(channels):
    covariance = patch_covariance(channels, 4)
    variances = np.linalg.eigvalsh(covariance)
    assert np.array_equal(covariance, covariance.T) and variances.min() > 0
    r = whitening(channels, 4).reshape(len(covariance), -1)
    left = r.T @ covariance @ r
    noise = NOISE * variances.mean()
    np.testing.assert_allclose(np.linalg.eigvalsh(left), variances / (variances + noise), rtol=1e-9)
    apart = ~np.eye(len(left), dtype=bool)
    before = np.abs(covariance[apart]).mean() / np.diag(covariance).mean()
    assert np.abs(left[apart]).mean() / np.diag(left).mean() < before / 5


def test_colours_differ_less_than_the_light():
    covariance = patch_covariance(3, 4).reshape(16, 3, 16, 3)
    pixel = covariance[5, :, 5]
    assert pixel.min() > 0.8 * pixel.max() > 0  # colours of one pixel go together
    light, blue = np.ones(3) / np.sqrt(3), np.array([1, 0, -1]) / np.sqrt(2)
    along = [np.einsum("iajb,a,b->ij", covariance, axis, axis) for axis in (light, blue)]
    assert along[0][5, 5] > 10 * along[1][5, 5]
    assert along[0][5, 6] / along[0][5, 5] < along[1][5, 6] / along[1][5, 5]


def test_every_place_has_the_units_of_the_patch_around_it():
    network = Network("whitened 2x2, 4 pool", (8, 8, 3), 1, dtype=np.float64)
    stimulus = Stimulus(network.image)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.uint8)
    stimulus.load(pictures)
    with ThreadTeam(1) as team:
        Program(Plan("see", stimulus.present(), [network.image.activity]), Backend("cpu")).run(team)
    pixels = np.pad(pictures / 127.5 - 1, ((0, 0), (0, 1), (0, 1), (0, 0)))
    expected = np.zeros((2, 8, 8, 12))
    for row, column in np.ndindex(8, 8):
        patch = pixels[:, row : row + 2, column : column + 2].reshape(2, -1)
        expected[:, row, column] = patch @ whitening(3, 2).reshape(12, 12)
    np.testing.assert_allclose(network.image.activity.array, expected, atol=1e-6)
    assert network.image.shape == (8, 8, 12) and network.projections[0].synapse.shape == (3, 3, 12, 4)
    assert str(network) == "whitened 2x2, 4 pool"


def test_rules_learn_behind_it_and_it_stays(tmp_path):
    for rule in ("ll", "hebb"):
        options = {"plasticity": "bounded"} if rule == "hebb" else {}
        asked = {"network": TEXT, "images": 20, "batch": 10, "epochs": 1, "threads": 1}
        experiment = ns.Experiment(rule=rule, **asked, **options)
        network = experiment.model.network
        before, fixed = (s.weight.host().copy() for s in (network.projections[0].synapse, network.image.synapse))
        experiment.fit(tmp_path / rule)
        assert (network.projections[0].synapse.weight.host() != before).any()
        assert np.array_equal(network.image.synapse.weight.host(), fixed)
        again = ns.load(tmp_path / rule)
        pictures = experiment.data.test_images[:3]
        assert np.array_equal(again.encode(pictures), experiment.encode(pictures))


def test_the_audit_finds_nothing():
    verdict = ns.Experiment(rule="hebb", network=TEXT, images=20, batch=10, threads=1).audit()
    assert verdict.plausible


def test_the_plan_says_what_it_does():
    plan = str(make_encoder(TEXT, (8, 8, 3)).program.plan)
    assert "patches are whitened" in plan and "x0 = R0 * picture" in plan


@pytest.mark.parametrize(
    "text", ["whitened, 4 pool", "whitened 1x1, 4 pool", "whitened 4x5, 4 pool", "4 pool, whitened 4x4"]
)
def test_other_words_are_refused(text):
    with pytest.raises(NeurosimError):
        Network(text, (8, 8, 3), 1)
