"""Interneurons: their kernels' forms, and that a layer sees its fields with their means taken off, before and after learning."""

import numpy as np
import pytest
from forms import Forms

from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.kernels.interneurons import inhibit_place, sum_field
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.plasticity.bounded import Bounded
from neurosim.plasticity.sgd import SGD
from neurosim.rules import make

RNG = np.random.default_rng(8)
N, R, C, K, D = 3, 4, 6, 2, 5
PLAIN, POOLED = (N, R, C), (N, 4, R // 2, C // 2)


class TestForms(Forms):
    @staticmethod
    def cases():
        x = RNG.normal(size=(N, R, C, K))
        for side in (3, 4, 5):
            total = np.full((*PLAIN, 1), np.nan)
            yield sum_field, {"activity": x, "total": total, "side": side, "scale": 0.3}, ["total"]
        for shape in (PLAIN, POOLED):
            for inhibiting in (1, 2):
                pre, weight = RNG.normal(size=(*PLAIN, inhibiting)), RNG.normal(size=(1, 1, inhibiting, D))
                given = {"presynaptic": pre, "weight": weight, "potential": RNG.normal(size=(*shape, D))}
                yield inhibit_place, given, ["potential"]


def centred_patches(x, side):
    pad = np.pad(x, ((0, 0), (side // 2,) * 2, (side // 2,) * 2, (0, 0)))
    seen = np.lib.stride_tricks.sliding_window_view(pad, (side, side), (1, 2)).transpose(0, 1, 2, 4, 5, 3)
    return seen - seen.mean(axis=(3, 4, 5), keepdims=True)


@pytest.mark.parametrize("kind", ["winner", "oja"])
def test_a_unit_sees_its_field_without_the_mean_however_long_it_learns(kind):
    network = Network("5 5x5 centred inhibited", (6, 6, 2), 3, block=False, dtype=np.float64, plasticity=Bounded(0.05))
    rule = make("hebb", network, make_loss("hinge"), competition=kind)
    plan, projection = rule.plan("layer 1"), network.projections[0]
    for step in range(6):
        x = 3 + np.random.default_rng(step).normal(size=(6, 6, 6, 2))
        network.populations[0].activity.array[...] = x
        weight = projection.synapse.weight.array.copy()
        with ThreadTeam(1) as team:
            Program(plan, Backend("cpu"), hold=True).run(team)
        wanted = np.einsum("nrcijk,ijko->nrco", centred_patches(x, 5), weight)
        np.testing.assert_allclose(projection.post.potential.array, wanted, atol=1e-10)
    assert not np.allclose(weight, network.projections[0].synapse.weight.array)


def test_the_pooled_layer_sees_the_same():
    left = []
    for text in ("5 centred linear", "5 centred linear average"):
        network = Network(text, (6, 6, 2), 1, dtype=np.float64)
        network.populations[0].activity.array[...] = np.random.default_rng(0).normal(size=(2, 6, 6, 2))
        steps = list(network.propagate())
        plan = Plan("up", steps, [network.populations[1].activity], [network.populations[0].activity])
        with ThreadTeam(1) as team:
            Program(plan, Backend("cpu")).run(team)
        left.append(network.populations[1].activity.array.copy())
    np.testing.assert_allclose(left[0].reshape(2, 3, 2, 3, 2, 5).mean(axis=(2, 4)), left[1], atol=1e-12)


def test_an_error_does_not_teach_a_centred_layer():
    network = Network("5 centred hardtanh, 4 pool", (8, 8, 2), 2, plasticity=SGD(0.01))
    with pytest.raises(WiringError, match="layer 1 is centred and learns from an error"):
        make("ll", network, make_loss("hinge")).plan("all layers")
