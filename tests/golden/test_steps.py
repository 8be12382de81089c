"""Whole training steps against derivatives computed elsewhere: every rule, float64."""

import json

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.losses.hinge import Hinge
from neurosim.losses.hinge_mean import HingeMean
from neurosim.networks.network import Network
from neurosim.plasticity.sgd import SGD
from neurosim.rules import make

cpu = Backend("cpu")


def to_rows(images):
    """(sample, channel, row, column) -> (sample, row, column, channel)."""
    return images.transpose(0, 2, 3, 1)


def to_taps(weight):
    """(out, in, row, column) -> (row, column, in, out)."""
    return weight.transpose(2, 3, 1, 0)


def to_dense(weight, shape):
    """(out, channel x row x column) -> (row x column x channel, out)."""
    rows, columns, channels = shape
    return weight.reshape(len(weight), channels, rows, columns).transpose(2, 3, 1, 0).reshape(-1, len(weight))


def loss_of(meta):
    return Hinge(lags=meta.get("lags"), threshold=meta["threshold"], delta=meta["delta"])


def network_for(layers, x1, meta, units):
    text = ", ".join(layers)
    return Network(
        text,
        to_rows(x1).shape[1:],
        len(x1),
        block=meta["block_view1"],
        dtype=np.float64,
        head_units=units,
        plasticity=SGD(0.0),
    )


def run(rule, *views):
    """One phase on two views given as activities of the image."""
    rule.network.populations[0].activity.array[...] = np.concatenate([to_rows(v) for v in views])
    phase = rule.phases[0]
    with ThreadTeam(2) as team:
        Program(rule.plan(phase), cpu).run(team)


@pytest.mark.parametrize("kind", ["bp", "rf", "urf", "sign"])
def test_end_to_end_step(golden, relative_error, kind):
    cases = golden("end_to_end_step")
    meta = json.loads(str(cases["meta"]))
    case = {k.removeprefix(f"{kind}/"): v for k, v in cases.items() if k.startswith(f"{kind}/")}
    depth = meta["convolutions"]
    layers = [f"{len(case[f'W{i}'])} hardtanh{' pool' * meta['pool'][i]}" for i in range(depth)]
    network = network_for(layers, case["x1"], meta["loss"], len(case[f"W{depth}"]))
    rule = make(kind, network, loss_of(meta["loss"]))
    top = network.populations[-1].shape

    def oriented(name):
        value = case[name]
        return to_taps(value) if value.ndim == 4 else to_dense(value, top)

    learners = [*network.projections, rule.head]
    for i, projection in enumerate(learners):
        projection.synapse.weight.array[...] = oriented(f"W{i}")
    for back in rule.down:
        if kind != "bp":
            back.synapse.weight.array[...] = oriented(f"B{learners.index(back.projection)}")
        if kind == "sign":
            back.scale = 1.0  # the case sends the bare signs
    before = {b.synapse.name: b.synapse.weight.array.copy() for b in rule.down}
    run(rule, case["x1"], case["x2"])
    assert relative_error(rule.head.post.activity.array, case["z"]) < 1e-9
    assert relative_error(rule.error.value.array[0], case["loss"]) < 1e-9
    for i, projection in enumerate(learners):
        assert relative_error(projection.synapse.change.array, oriented(f"grad_W{i}")) < 1e-9, i
    for back in rule.down:
        name = f"grad_B{learners.index(back.projection)}"
        if kind in ("urf", "sign"):
            assert relative_error(back.synapse.change.array, oriented(name)) < 1e-9, name
        if kind == "rf":
            assert name not in case
            assert np.array_equal(back.synapse.weight.array, before[back.synapse.name])


@pytest.mark.parametrize("kind", ["bp", "rf", "urf"])
def test_layerwise_step(golden, relative_error, kind):
    cases = golden("layerwise_step")
    meta = json.loads(str(cases["meta"]))
    case = {k.removeprefix(f"{kind}/"): v for k, v in cases.items() if k.startswith(f"{kind}/")}
    channels = len(case["W_conv"])
    network = network_for([f"{channels} hardtanh pool"], case["pre1"], meta["loss"], len(case["W_head"]))
    rule = make("ll", network, loss_of(meta["loss"]), order="greedy", feedback=kind)
    head, conv, back = network.head(1), network.projections[0], rule.back[1]
    shape = network.populations[1].shape
    conv.synapse.weight.array[...] = to_taps(case["W_conv"])
    head.synapse.weight.array[...] = to_dense(case["W_head"], shape)
    if kind != "bp":
        back.synapse.weight.array[...] = to_dense(case["B_head"], shape)
    run(rule, case["pre1"], case["pre2"])
    assert relative_error(head.post.activity.array, case["z"]) < 1e-9
    assert relative_error(rule.errors[1].value.array[0], case["loss"]) < 1e-9
    assert relative_error(conv.synapse.change.array, to_taps(case["grad_W_conv"])) < 1e-9
    assert relative_error(head.synapse.change.array, to_dense(case["grad_W_head"], shape)) < 1e-9
    if kind == "urf":
        assert relative_error(back.synapse.change.array, to_dense(case["grad_B_head"], shape)) < 1e-9


def standard(noise, sigma):
    """Noise of deviation 1: a file may hold what is drawn, or what is added, sigma times that."""
    spread = noise.std()
    return noise / sigma if abs(np.log(spread / sigma)) <= abs(np.log(spread)) else noise


def test_dtp_step(golden, relative_error):
    """Target propagation with the published top: activities, targets, every inverse's and every layer's own outer products."""
    case = golden("dtp_step")
    meta = json.loads(str(case["meta"]))
    layers = sorted(int(k[1:-7]) for k in case if k.startswith("f") and k.endswith("/weight"))
    *maps, last = layers
    text = ", ".join(f"{len(case[f'f{i}/weight'])} bias tanh pool" for i in maps) + ", head bias tanh"
    margins = meta["loss"]["margin_positive"], meta["loss"]["margin_negative"]
    loss = HingeMean(threshold=sum(margins) / 2, delta=(margins[1] - margins[0]) / 2)
    x = [to_rows(case["x"][i::2]) for i in (0, 1)]  # views interleaved
    network = Network(
        text,
        x[0].shape[1:],
        len(x[0]),
        block=False,
        dtype=np.float64,
        plasticity=SGD(0.0),
        head_units=len(case[f"f{last}/weight"]),
    )
    rule = make("dtp", network, loss, top="transport", target_step=meta["target_step"], noise=meta["noise_sigma"])
    flat = network.populations[-1].shape

    def oriented(name):
        value = case[name]
        if value.ndim == 4:
            return to_taps(value) if name.startswith("f") else value.transpose(2, 3, 0, 1)
        return to_dense(value, flat) if value.ndim == 2 else value[None]

    def rows(value):
        value = to_rows(value) if value.ndim == 4 else value
        return np.concatenate([value[0::2], value[1::2]])

    paths = {f"f{i}": p for i, p in zip(layers, [*network.projections, rule.head], strict=True)}
    paths |= {f"g{int(i.synapse.name[1:])}": i.path for i in rule.inverses}
    assert {k.split("/")[0] for k in case if "/" in k} == set(paths)
    for name, path in paths.items():
        for synapse, what in zip(path.synapses, ("weight", "bias"), strict=True):
            synapse.weight.array[...] = oriented(f"{name}/{what}")
    for inverse in rule.inverses:
        inverse.noise[0].array[...] = standard(rows(case[f"noise_h{inverse.below.number}"]), meta["noise_sigma"])
    network.populations[0].activity.array[...] = np.concatenate(x)
    with ThreadTeam(2) as team:
        Program(rule.plan("all layers"), cpu, hold=True).run(team)
    for i, population in zip(layers, [*network.populations[1:], rule.head.post], strict=True):
        assert relative_error(population.activity.array, rows(case[f"h{i}"])) < 1e-9
        if i != last:
            assert relative_error(rule.targets[population].activity.array, rows(case[f"target{i}"])) < 1e-9
            assert relative_error(rule.targets[population].value.array[0], case[f"local_loss{i}"]) < 1e-9
    assert relative_error(rule.error.value.array[0], case[f"local_loss{last}"]) < 1e-9
    for inverse in rule.inverses:
        assert relative_error(inverse.value.array[0], case[f"inverse_loss_g{inverse.synapse.name[1:]}"]) < 1e-9
    for name, path in paths.items():
        for synapse, what in zip(path.synapses, ("weight", "bias"), strict=True):
            assert relative_error(synapse.change.array, oriented(f"{name}/grad_{what}")) < 1e-9, (name, what)
