"""Small networks with a rule, ready to run, for all tests of rules."""

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.plasticity.sgd import SGD
from neurosim.rules import make

cpu = Backend("cpu")

TEXT = "3 hardtanh, 4 pool, 5 tanh"
IMAGE = (4, 4, 2)


@pytest.fixture
def build():
    """Gives ``build(rule, ...)``: a rule on a small network in float64, its weights large enough to saturate units."""

    def build(
        name, *, text=TEXT, loss=None, pairs=3, block=True, plasticity=None, seed=0, units=5, gain=2.0, **options
    ):
        # Margins 1 and 2.3: some comparisons of both kinds are active, and some are not.
        loss = loss or make_loss("hinge", lags=None, threshold=1.65, delta=0.65)
        network = Network(
            text,
            IMAGE,
            pairs,
            block=block,
            seed=seed,
            dtype=np.float64,
            head_units=units,
            plasticity=plasticity or SGD(0.0),
        )
        rule = make(name, network, loss, **options)
        for synapse in rule.synapses():
            synapse.weight.array[...] *= gain
        return rule

    return build


@pytest.fixture
def show():
    """Gives ``show(rule, seed)``: lays two random views of every moment into ``x0`` and returns it."""

    def show(rule, seed=0):
        population = rule.network.populations[0]
        rng, pairs = np.random.default_rng([11, seed]), rule.network.pairs
        first = rng.uniform(-1, 1, (pairs, *population.shape))
        population.activity.array[:pairs] = first
        population.activity.array[pairs:] = first + 0.4 * rng.normal(size=first.shape)
        return population.activity.array

    return show


@pytest.fixture
def run():
    """Gives ``run(rule, phase, kernels, threads)``: one phase with all buffers held; returns the plan."""

    def run(rule, phase=None, kernels=cpu, threads=1):
        plan = rule.plan(phase or rule.phases[0])
        with ThreadTeam(threads) as team:
            Program(plan, kernels, hold=True).run(team)
        return plan

    return run
