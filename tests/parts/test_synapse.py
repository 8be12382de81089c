"""Synapses and populations by themselves: outer products, responses and gates, from their formulas."""

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.core.buffer import Buffer
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.networks.network import Network
from neurosim.parts.head import Head, NonlinearHead
from neurosim.parts.population import PooledPopulation, Population
from neurosim.parts.synapse import Synapse
from neurosim.plasticity.sgd import SGD
from neurosim.plasticity.signum import Signum

cpu = Backend("cpu")

AXES = ("sample", "row", "column", "channel")
RNG = np.random.default_rng(5)


def run(steps):
    with ThreadTeam(2) as team:
        Program(Plan.alone("p", steps), cpu, hold=True).run(team)


def test_a_single_active_pair_changes_a_single_weight():
    """Locality: presynaptic unit (row 1, column 2, channel 1), postsynaptic unit (row 0, column 2, channel 2)."""
    pre = Buffer("x1", AXES, (2, 4, 4, 3), "activity", "x", float)
    post = Buffer("d2", AXES, (2, 4, 4, 5), "error", "d", float)
    synapse = Synapse("W2", (3, 3, 3, 5), "forward weight", 0, SGD(), float)
    pre.array[1, 1, 2, 1], post.array[1, 0, 2, 2] = 3.0, 0.5
    pre.array[0] = 7.0  # another moment, where nothing is active above
    run(synapse.hebbian(pre, post))
    wanted = np.zeros((3, 3, 3, 5))
    wanted[2, 1, 1, 2] = 1.5  # the tap one row below, same column
    assert np.array_equal(synapse.change.array, wanted)
    run(synapse.hebbian(pre, post))  # a new batch starts from nothing
    assert np.array_equal(synapse.change.array, wanted)


def test_a_head_s_change_is_the_outer_product():
    pre = Buffer("x2", ("sample", "presynaptic"), (70, 9), "activity", "x", float, initial=RNG.normal(size=(70, 9)))
    post = Buffer("ez2", ("sample", "unit"), (70, 4), "error", "e", float, initial=RNG.normal(size=(70, 4)))
    synapse = Synapse("H2", (9, 4), "forward weight", 0, SGD(), float)
    run(synapse.hebbian(pre, post))
    wanted = sum(np.outer(pre.array[n], post.array[n]) for n in range(70))
    np.testing.assert_allclose(synapse.change.array, wanted, rtol=1e-12, atol=1e-12)


def test_only_hebbian_and_plasticity_reach_a_synapse():
    synapse = Synapse("W1", (3, 3, 2, 2), "forward weight", 0, Signum())
    post = Buffer("d1", AXES, (1, 4, 4, 2), "error", "d")
    pre = Buffer("x0", AXES, (1, 4, 4, 2), "activity", "x")
    (step,) = synapse.hebbian(pre, post)
    assert (set(step.reads.values()), list(step.changed.values())) == ({pre, post}, [synapse.change])


def test_weights_that_never_learn_have_no_place_to_keep_a_change():
    synapse = Synapse("B2", (3, 3, 2, 2), "feedback weight", 0, None)
    assert not hasattr(synapse, "change")
    assert not hasattr(synapse, "state")


def test_rescaling_multiplies_the_initial_weights_and_their_bound():
    one, other = (Synapse("W1", (9, 4), "forward weight", [1, 2], None, float) for _ in range(2))
    other.rescale(3.0)
    np.testing.assert_allclose(other.weight.array, 3 * one.weight.array, rtol=1e-15)
    assert (one.fan_in, one.bound, other.bound) == (9, 1 / 3, 1)
    assert 0.25 < np.abs(one.weight.array).max() <= 1 / 3


def slope(phi, u):
    return {"hardtanh": (np.abs(u) < 1) * 1.0, "tanh": 1 / np.cosh(u) ** 2, "linear": np.ones_like(u)}[phi]


@pytest.mark.parametrize("learning", [0, 2])
@pytest.mark.parametrize("phi", ["hardtanh", "tanh", "linear"])
def test_a_population_responds_and_gates(phi, learning):
    population = Population(1, (2, 2, 3), 4, learning, phi, dtype=float)
    u = population.potential.array
    u[...] = RNG.normal(size=u.shape) * 1.5
    u[3, 0, 0, :] = [1, -1, 0]  # at its ends hardtanh is closed
    e = population.error.array
    e[...] = RNG.normal(size=e.shape)
    run([*population.respond(), *population.gate()])
    wanted = {"hardtanh": np.minimum(1, np.maximum(-1, u)), "tanh": np.tanh(u), "linear": u}[phi]
    np.testing.assert_allclose(population.activity.array, wanted, rtol=1e-14)
    np.testing.assert_allclose(population.post.array, slope(phi, u)[learning:] * e, rtol=1e-12, atol=1e-14)
    assert len(e) == 4 - learning


@pytest.mark.parametrize("learning", [0, 2])
@pytest.mark.parametrize("phi", ["hardtanh", "tanh", "linear"])
def test_a_pooled_population_sends_its_error_to_the_winner(phi, learning):
    population = PooledPopulation(1, (2, 3, 4), 4, learning, phi, float)
    u = population.potential.array
    u[...] = RNG.normal(size=u.shape)
    u[3, :, 0, 0, 0] = [0.5, 0.7, 0.7, 0.1]  # the first of two equals wins
    u[3, :, 0, 0, 1] = [1.0, 0.2, 0.1, 0.1]
    u[3, :, 0, 0, 2] = [0.1, 0.2, 0.7, 0.7]
    u[3, :, 0, 0, 3] = [0.2, 0.7, 0.1, 0.7]
    e = population.error.array
    e[...] = RNG.normal(size=e.shape)
    run([*population.respond(), *population.gate()])
    best = u.max(axis=1)
    wanted = {"hardtanh": np.clip(best, -1, 1), "tanh": np.tanh(best), "linear": best}[phi]
    np.testing.assert_allclose(population.activity.array, wanted, rtol=1e-14)
    post = population.post.array
    assert ((post != 0).sum(axis=1) <= 1).all()
    np.testing.assert_allclose(post.sum(axis=1), (slope(phi, best) * 1.0)[learning:] * e, rtol=1e-12, atol=1e-14)
    assert not (post[(u[learning:] < best[learning:, None])]).any()
    assert (post[-1, :, 0, 0] != 0).argmax(axis=0).tolist() == [1, 0, 2, 1]


def test_a_head_is_linear():
    head = Head(2, 5, 6, 3, float)
    assert head.post is head.error
    assert (head.activity.shape, head.error.shape, head.shape) == ((6, 5), (3, 5), (5,))


@pytest.mark.parametrize("phi", ["tanh", "hardtanh"])
def test_a_head_may_respond_and_gate(phi):
    head = NonlinearHead(2, 5, 6, 3, float, phi)
    u, e = 2 * RNG.normal(size=(6, 5)), RNG.normal(size=(3, 5))
    head.potential.array[...], head.error.array[...] = u, e
    run([*head.respond(), *head.gate()])
    answer = np.tanh(u) if phi == "tanh" else np.clip(u, -1, 1)
    np.testing.assert_allclose(head.activity.array, answer, rtol=1e-12)
    np.testing.assert_allclose(head.post.array, slope(phi, u)[3:] * e, rtol=1e-9)


def test_a_bias_is_known_by_its_constant_unit_and_not_by_its_size():
    """A head of a layer of one unit has weights (1, D), too."""
    network = Network("1 bias tanh pool", (2, 2, 3), 2)
    kernels = {step.kernel.name: step for path in (network.projections[0], network.head(1)) for step in path.hebbian()}
    assert set(kernels) == {"hebbian_convolution", "hebbian_bias", "hebbian_dense"}
    assert kernels["hebbian_dense"].changed["change"].shape == (1, 64)
    assert kernels["hebbian_bias"].reads["pre"].array.tolist() == [1.0]
