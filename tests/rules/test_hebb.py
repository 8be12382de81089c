"""hebb: outer products of stored activities, a decay by the unit's own, no error; the order of layers; what it refuses."""

import numpy as np
import pytest

from neurosim.errors import WiringError
from neurosim.plasticity.bounded import Bounded
from neurosim.plasticity.signum import Signum

TEXT = "5 5x5 inhibited pool, 6 inhibited"


def made(build, **options):
    return build("hebb", text=TEXT, plasticity=Bounded(0.05), **options)


def patches(x, side):
    """``(sample, row, column, tap, tap, channel)`` around every place, 0 outside."""
    pad = np.pad(x, ((0, 0), (side // 2,) * 2, (side // 2,) * 2, (0, 0)))
    return np.lib.stride_tricks.sliding_window_view(pad, (side, side), (1, 2)).transpose(0, 1, 2, 4, 5, 3)


@pytest.mark.parametrize("block", [False, True])
@pytest.mark.parametrize("winners", [1, 2])
def test_weights_go_towards_the_patches_that_their_unit_won(build, show, run, winners, block):
    """``w += rate share sum over places won of (patch - w)``, by NumPy alone."""
    rule = made(build, winners=winners, block=block)
    x = show(rule).copy()
    weight = rule.network.projections[0].synapse.weight.array
    before = weight.copy()
    run(rule, "layer 1")
    seen = patches(x[3:] if block else x, 5)
    u = np.einsum("nrcijk,ijko->nrco", seen, before)
    best = np.argsort(-u, axis=-1)[..., :winners]
    y = np.zeros_like(u)
    np.put_along_axis(y, best, 1.0, axis=-1)
    y *= u > 0
    share = 0.05 * 5 / (winners * u[..., 0].size)
    wanted = before + share * (np.einsum("nrcijk,nrco->ijko", seen, y) - y.sum((0, 1, 2)) * before)
    np.testing.assert_allclose(weight, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("length", [1.0, 0.5])
def test_oja_s_weights_grow_to_their_length(build, show, run, length):
    """Oja 1982: ``dw = rate y (x - y w)`` keeps weights at length 1 without dividing by it."""
    rule = made(build, competition="oja", homeostasis=0.1, length=length)
    for step in range(1500):
        show(rule, step % 10)
        run(rule, "layer 1")
    lengths = np.sqrt((rule.network.projections[0].synapse.weight.array ** 2).sum(axis=(0, 1, 2)))
    np.testing.assert_allclose(lengths, length, rtol=0.15)


def test_thresholds_bring_silent_units_back(build, show, run):
    rule = made(build, homeostasis=0.3)
    rule.places[1].threshold.array[0] = 6
    silent = []
    for step in range(60):
        show(rule, step)
        run(rule, "layer 1")
        silent.append(float(rule.places[1].wins.array[0] == 0))
    assert silent[0] == 1
    assert sum(silent[30:]) < 5


@pytest.mark.parametrize("order", ["greedy", "random", "simultaneous"])
def test_a_phase_changes_its_layers_and_no_others(build, show, run, order):
    rule = made(build, order=order)
    assert rule.phases == (("all layers",) if order == "simultaneous" else ("layer 1", "layer 2"))
    show(rule)
    for phase in rule.phases:
        before = {s.name: s.weight.array.copy() for s in rule.synapses()}
        plan = run(rule, phase)
        changed = {s.name for s in rule.synapses() if (s.weight.array != before[s.name]).any()}
        assert changed == {"layer 1": {"W1"}, "layer 2": {"W2"}, "all layers": {"W1", "W2"}}[phase]
        assert not any(b.role == "error" for b in plan.buffers)


def test_there_is_no_head_no_error_and_no_feedback(build):
    rule = made(build)
    assert not rule.errors and not rule.feedbacks and not rule.errors_of("layer 1")
    assert [s.name for s in rule.synapses()] == ["W1", "W2"]


def test_the_rates_of_all_layers_follow_the_schedule(build):
    rule = made(build)
    own = [p.synapse.plasticity.rate for p in rule.network.projections]
    assert {b.name for b in own} <= {p.rate.name for p in rule.plasticities()}
    assert all(any(p.rate is rate for p in rule.plasticities()) for rate in own)


def test_a_layer_may_have_a_rate_of_its_own_beside_another_plasticity(build):
    rule = build("hebb", text=TEXT, plasticity=Signum(0.01), win_rate=0.2)
    fair = rule.places[1].fair
    assert rule.network.projections[0].synapse.plasticity.base_rate == pytest.approx(0.2 * fair)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (TEXT, {"plasticity": Signum(0.01)}, "plasticity='signum' for layer 1"),
        ("5 bias inhibited", {}, "layer 1 has a bias"),
        ("5 inhibited, 4 local inhibited", {}, "layer 2 is local"),
        ("5 inhibited", {"winners": 5}, "winners=5 of the 5 units of layer 1"),
    ],
)
def test_what_cannot_compete_is_refused(build, text, options, message):
    with pytest.raises(WiringError, match=message):
        build("hebb", text=text, **{"plasticity": Bounded(0.05), **options})
