"""Networks from a text, their sizes and their initial weights."""

import numpy as np
import pytest

from neurosim.errors import ShapeError, WiringError
from neurosim.networks import presets
from neurosim.networks.network import Network
from neurosim.networks.presets.base import Preset
from neurosim.networks.text import Layer, parse, parse_head, shapes
from neurosim.plasticity.signum import Signum


def test_conv5_is_the_paper_s():
    """3x3 convolutions: 32 hardtanh; 32 pool; 64 hardtanh; 64 pool; 512 pool; head 8192 -> 64"""
    assert parse("conv5") == (
        Layer(32, "hardtanh", False),
        Layer(32, "linear", True),
        Layer(64, "hardtanh", False),
        Layer(64, "linear", True),
        Layer(512, "linear", True),
    )
    network = Network("conv5", (32, 32, 3), 1)
    assert [p.synapse.shape for p in network.projections] == [
        (3, 3, 3, 32),
        (3, 3, 32, 32),
        (3, 3, 32, 64),
        (3, 3, 64, 64),
        (3, 3, 64, 512),
    ]
    assert [p.shape for p in network.populations] == [
        (32, 32, 3),
        (32, 32, 32),
        (16, 16, 32),
        (16, 16, 64),
        (8, 8, 64),
        (4, 4, 512),
    ]
    assert network.head(5).synapse.shape == (8192, 64)
    assert len(network) == 5


@pytest.mark.parametrize(
    "text",
    [
        *presets.available(),
        "3 tanh pool, 4 linear, 5 pool",
        "8 hardtanh pool",
        "8 local pool, 4 local bias tanh",
        "4 bias pool, head tanh",
        "4 pool, head average",
        "5 bias linear, head bias",
    ],
)
def test_a_network_s_text_reads_back_as_itself(text):
    layers = parse(text)
    text_again = str(Network(text, (64, 64, 3), 1))
    assert (parse(text_again), parse_head(text_again)) == (layers, parse_head(text))
    assert text_again.startswith(", ".join(map(str, layers)))


def test_words_may_come_in_any_order():
    assert parse("8 tanh pool local") == (Layer(8, "tanh", True, local=True),)
    assert parse("32  pool tanh ,\n 4 linear") == (Layer(32, "tanh", True), Layer(4, "linear", False))


@pytest.mark.parametrize(
    ("text", "number", "part"),
    [
        ("", 1, "''"),
        ("conv6", 1, "'conv6'"),
        ("32", 1, "'32'"),
        ("32 hardtanh,", 2, "''"),
        ("32 relu", 1, "'32 relu'"),
        ("0 pool", 1, "'0 pool'"),
        ("-3 pool", 1, "'-3 pool'"),
        ("8 pool, 3.5 pool", 2, "'3.5 pool'"),
        ("8 pool pool", 1, "'8 pool pool'"),
        ("8 tanh hardtanh", 1, "'8 tanh hardtanh'"),
        ("8 local", 1, "'8 local'"),
        ("8 local local pool", 1, "'8 local local pool'"),
        ("pool 8", 1, "'pool 8'"),
        ("8 tanh; 9 tanh", 1, "'8 tanh; 9 tanh'"),
        ("8 bias bias pool", 1, "'8 bias bias pool'"),
        ("8 bias", 1, "'8 bias'"),
        ("head tanh", 1, "'head tanh'"),
        ("head tanh, 4 pool", 1, "'head tanh'"),
    ],
)
def test_bad_texts_name_the_layer(text, number, part):
    with pytest.raises(WiringError) as error:
        parse(text)
    line = str(error.value)
    assert line.startswith(f"layer {number} of the network {text!r} reads {part}; expected a preset (")
    assert "network=" in line


def test_a_pool_that_does_not_fit_names_the_sizes_layer_by_layer():
    with pytest.raises(ShapeError) as error:
        shapes(parse("4 pool, 5 tanh, 6 pool"), (10, 12, 3))
    assert str(error.value).startswith(
        "layer 3 pools 5x6 (image: 10x12x3, layer 1: 5x6x4, layer 2: 5x6x5); expected even sizes"
    )
    with pytest.raises(ShapeError, match="layer 6 pools 1x1"):
        Network(", ".join(["2 pool"] * 6), (32, 32, 3), 1)


def test_initial_weights_are_uniform_within_one_over_root_fan_in():
    network = Network("64 hardtanh, 64 pool", (8, 8, 3), 1)
    for synapse, fan in ((network.projections[1].synapse, 9 * 64), (network.head(2).synapse, 16 * 64)):
        weight, bound = synapse.weight.array, 1 / np.sqrt(fan)
        assert synapse.fan_in == fan
        assert 0.98 * bound < np.abs(weight).max() <= bound
        # A uniform variable's standard deviation is bound / sqrt(3); 36,864 and 65,536 draws.
        assert abs(weight.std() / (bound / np.sqrt(3)) - 1) < 0.02
        assert abs(weight.mean()) < 0.02 * bound


def test_every_array_draws_by_itself():
    one, same, other = (Network("4 tanh, 4 pool", (4, 4, 3), 1, seed=seed) for seed in (0, 0, 1))
    same.head(1)  # asking for another array first changes nothing
    feedback = one.feedback(one.projections[1], "urf").synapse
    arrays = [p.synapse.weight.array for p in (*one.projections, one.head(2))] + [feedback.weight.array]
    again = [p.synapse.weight.array for p in (*same.projections, same.head(2))]
    again.append(same.feedback(same.projections[1], "rf").synapse.weight.array)
    for a, b in zip(arrays, again, strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(arrays[0], other.projections[0].synapse.weight.array)
    # B starts independent of W: same shape, other numbers, no correlation to speak of.
    assert abs(np.corrcoef(arrays[1].ravel(), feedback.weight.array.ravel())[0, 1]) < 0.3


def test_heads_may_learn_at_a_rate_of_their_own_and_feedback_start_smaller():
    slow, fast = Signum(rate=0.1), Signum(rate=0.5, name="head rate")
    one = Network("4 tanh, 4 pool", (4, 4, 3), 1, plasticity=slow, dtype=float)
    other = Network(
        "4 tanh, 4 pool", (4, 4, 3), 1, plasticity=slow, head_plasticity=fast, feedback_gain=0.25, dtype=float
    )
    assert one.head_plasticity is slow
    for path in (lambda n: n.projections[1], lambda n: n.head(2)):
        forward, plain = path(other), path(one)
        assert np.array_equal(forward.synapse.weight.array, plain.synapse.weight.array)
        assert forward.synapse.plasticity is (fast if forward is other.head(2) else slow)
        back, same = other.feedback(forward, "urf").synapse, one.feedback(plain, "urf").synapse
        assert back.plasticity is forward.synapse.plasticity
        np.testing.assert_allclose(back.weight.array, 0.25 * same.weight.array, rtol=1e-12)
        assert back.bound == same.bound  # in which signum counts its rate


def test_the_gradient_block_leaves_view_2_only():
    blocked, free = (Network("4 tanh pool", (4, 4, 3), 3, block=block) for block in (True, False))
    for network, rows in ((blocked, 3), (free, 6)):
        layer = network.populations[1]
        assert layer.activity.shape[0] == 6
        assert layer.error.shape[0] == layer.post.shape[0] == layer.active_part.shape[0] == rows
        assert network.head(1).post.error.shape == (rows, 64)
    part = blocked.populations[1].active_part.array
    assert np.shares_memory(part, blocked.populations[1].activity.array[3:])


def test_heads_are_made_once_and_feedback_has_a_known_kind():
    network = Network("4 tanh", (4, 4, 3), 1, head_units=7)
    assert network.head(1) is network.head(1)
    assert network.head(1).synapse.shape == (4 * 4 * 4, 7)
    with pytest.raises(WiringError, match="unknown feedback 'dtp'; expected one of bp, rf, urf, sign"):
        network.feedback(network.head(1), "dtp")


def test_sizes_below_one_pair_are_refused():
    with pytest.raises(ShapeError):
        Network("4 tanh", (4, 4, 3), 0)


def test_conv4_tanh_is_the_paper_s():
    """32, 64, 128, 256, each 3x3 with bias, 2x2 pool, tanh; dense 1024 -> 64 with bias, tanh."""
    assert parse("conv4-tanh") == tuple(Layer(n, "tanh", True, True) for n in (32, 64, 128, 256))
    assert parse_head("conv4-tanh") == ("tanh", True, False)
    network = Network("conv4-tanh", (32, 32, 3), 1)
    head = network.head(4)
    assert [[s.shape for s in p.synapses] for p in (*network.projections, head)] == [
        [(3, 3, 3, 32), (1, 32)],
        [(3, 3, 32, 64), (1, 64)],
        [(3, 3, 64, 128), (1, 128)],
        [(3, 3, 128, 256), (1, 256)],
        [(1024, 64), (1, 64)],
    ]
    for weights, bias in (p.synapses for p in (*network.projections, head)):
        assert (bias.fan_in, bias.weight.role) == (weights.fan_in, weights.weight.role)
        assert 0.5 * weights.bound < np.abs(bias.weight.array).max() <= weights.bound


@pytest.mark.parametrize(
    "text", ["4 pool, head relu", "4 pool, head tanh tanh", "4 pool, head bias bias", "4 pool, head 64"]
)
def test_a_head_of_other_words_is_refused(text):
    with pytest.raises(WiringError, match=r"the head of the network .* reads 'head .*; expected head, then bias"):
        Network(text, (4, 4, 3), 1)


def test_inverses_have_arrays_of_their_own_in_the_other_direction():
    network = Network("4 hardtanh, 5 bias tanh pool", (4, 4, 3), 2)
    slow = Signum(name="inverse rate")
    above, head = (network.inverse(p, slow) for p in (network.projections[1], network.head(2)))
    assert [s.shape for i in (above, head) for s in i.synapses] == [(3, 3, 5, 4), (1, 4), (64, 20), (1, 20)]
    for inverse in (above, head):
        assert {s.weight.role for s in inverse.synapses} == {"inverse weight"}
        assert all(s.plasticity is slow for s in inverse.synapses)
    forward = network.projections[1].synapse.weight.array
    assert abs(np.corrcoef(forward.swapaxes(2, 3).ravel(), above.synapse.weight.array.ravel())[0, 1]) < 0.3


def test_sizes_that_no_inverse_restores_are_refused():
    network = Network("4 tanh", (6, 6, 3), 2)
    network.projections[0].post.shape = (2, 2, 4)
    with pytest.raises(
        ShapeError, match="layer 1 goes from 6x6x3 to 2x2x4; expected the same rows and columns, or half"
    ):
        network.inverse(network.projections[0], Signum())


def test_every_layer_and_the_feedback_along_it_may_learn_at_a_rate_of_their_own():
    slow, still = Signum(rate=0.1), Signum(rate=0.0, name="rate 2")
    one = Network("4 tanh, 4 pool", (4, 4, 3), 1, layer_plasticities=[slow, still], dtype=float)
    assert [p.synapse.plasticity for p in one.projections] == [slow, still]
    assert one.feedback(one.projections[1], "urf").synapse.plasticity is still
    assert one.head(2).synapse.plasticity is one.plasticity
    assert [one.learns(number) for number in (1, 2)] == [True, False]


class Twins(Preset):
    """Two layers of as many channels."""

    name = "twins"

    def __init__(self, channels: int = 4):
        self.text = f"{channels} hardtanh, {channels} pool"


def test_a_preset_of_one_s_own(tmp_path, monkeypatch):
    """As a class, as an object, by ``module:Class``; with an option."""
    assert str(Network(Twins(channels=6), (4, 4, 3))) == "6 hardtanh, 6 pool"
    assert parse(Twins) == parse(presets.make(Twins, channels=4)) == parse("4 hardtanh, 4 pool")
    text = "from neurosim.networks.presets.base import Preset\n\n\nclass One(Preset):\n    text = '3 pool'\n"
    (tmp_path / "own_networks.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert str(Network("own_networks:One", (4, 4, 3))) == "3 pool"
    with pytest.raises(WiringError, match="there is no nowhere"):
        parse("nowhere:One")


def test_presets_stand_one_in_a_file():
    assert {"conv4-tanh", "conv5", "small", "vgg6"} <= set(presets.available())
    assert str(presets.make("small")) == "32 pool, 64 pool, 128 pool, 256 pool"
