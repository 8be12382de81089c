"""Heads that read the means of 2 x 2 windows: forward, feedback, and the network of STL-10."""

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import ShapeError
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.parts.average import Average
from neurosim.plasticity.sgd import SGD
from neurosim.rules import make

cpu, reference = Backend("cpu"), Backend("reference")

TEXT = "3 hardtanh, 4 tanh pool, head average"


def build(name, text=TEXT, block=False, **options):
    loss = make_loss("hinge", lags=None, threshold=1.65, delta=0.65)
    network = Network(text, (8, 8, 2), 2, block=block, dtype=np.float64, head_units=5, plasticity=SGD(0.0))
    rule = make(name, network, loss, **options)
    for synapse in rule.synapses():
        synapse.weight.array[...] *= 2
    rng = np.random.default_rng(0)
    network.populations[0].activity.array[...] = rng.uniform(-1, 1, (4, 8, 8, 2))
    return rule


def run(rule, phase=None, kernels=cpu, threads=1):
    plan = rule.plan(phase or rule.phases[0])
    with ThreadTeam(threads) as team:
        Program(plan, kernels, hold=True).run(team)
    return plan


@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize(
    ("name", "options"), [("bp", {}), ("urf", {}), ("ll", {"feedback": "urf"}), ("ll", {"feedback": "bp"})]
)
def test_a_head_reads_means_and_sends_a_quarter_to_each(name, options, block):
    rule = build(name, block=block, **options)
    run(rule)
    for number in rule.errors:
        head, layer = rule.network.head(number), rule.network.populations[number]
        x, n = layer.activity.array, len(layer.activity.array)
        rows, columns, channels = layer.shape
        mean = x.reshape(n, rows // 2, 2, columns // 2, 2, channels).mean(axis=(2, 4))
        np.testing.assert_allclose(head.pre.activity.array, mean, rtol=0, atol=1e-13)
        z = mean.reshape(n, -1) @ head.synapse.weight.array
        np.testing.assert_allclose(head.post.activity.array, z, rtol=0, atol=1e-12)
        sent = next(b for b in rule.feedbacks if b.projection is head).sent.array
        below = (head.post.error.array @ sent.T).reshape(-1, rows // 2, columns // 2, channels) / 4
        np.testing.assert_allclose(layer.error.array, below.repeat(2, 1).repeat(2, 2), rtol=0, atol=1e-12)
        learning = mean[len(mean) - len(below) :].reshape(len(below), -1)
        np.testing.assert_allclose(head.synapse.change.array, learning.T @ head.post.error.array, rtol=0, atol=1e-12)


def test_changes_are_derivatives_of_the_loss():
    rule = build("bp")
    plan = run(rule)
    for projection in (*rule.network.projections, rule.head):
        weight, change = projection.synapse.weight.array, projection.synapse.change.array.copy()
        rng = np.random.default_rng(1)
        for _ in range(5):
            place, values = tuple(rng.integers(0, size) for size in weight.shape), []
            for step in (1e-6, -1e-6):
                weight[place] += step
                with ThreadTeam(1) as team:
                    Program(plan, cpu, hold=True).run(team)
                values.append(float(rule.error.value.array[0]))
                weight[place] -= step
            assert (values[0] - values[1]) / 2e-6 == pytest.approx(change[place], abs=1e-6)


@pytest.mark.parametrize("name", ["urf", "ll"])
def test_whole_plan_agrees_with_the_naive_kernels(name):
    fast, naive = (build(name, text="2 hardtanh, 2 tanh pool, head average") for _ in range(2))
    for a, b in zip(run(fast, threads=2).buffers, run(naive, kernels=reference).buffers, strict=True):
        np.testing.assert_allclose(a.array, b.array, rtol=1e-10, atol=1e-11, err_msg=a.name)


def test_vgg6_is_the_paper_s():
    """128; 256 pool; 256; 512 pool; 1024 pool; 1024 pool; hardtanh; 2x2 average pool before the head."""
    network = Network("vgg6", (64, 64, 3), 1)
    assert [p.shape for p in network.populations[1:]] == [
        (64, 64, 128),
        (32, 32, 256),
        (32, 32, 256),
        (16, 16, 512),
        (8, 8, 1024),
        (4, 4, 1024),
    ]
    assert {layer.nonlinearity for layer in network.layers} == {"hardtanh"}
    assert isinstance(network.head(6).pre, Average) and network.head(6).synapse.shape == (2 * 2 * 1024, 64)
    patches = Network("vgg6", (16, 16, 1), 1, views=49)
    assert patches.populations[6].shape == (1, 1, 1024) and patches.head(6).pre is patches.populations[6]
    assert patches.populations[6].error.shape[0] == 49


def test_what_cannot_be_averaged_is_refused():
    with pytest.raises(ShapeError, match="head 1 averages 5x5x4; expected even sizes, or a single place"):
        Network("4 tanh, head average", (5, 5, 2), 1).head(1)
