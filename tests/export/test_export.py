"""Models out: ONNX for every preset and every word of a network, safetensors, archives; and weights back in."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from neurosim.cli.main import main

import neurosim as ns
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import NeurosimError, RunError, WiringError
from neurosim.export import operators
from neurosim.kernels.units import NONLINEARITIES
from neurosim.networks import presets

PAGE = Path(ns.__file__).parent.parent / "docs" / "export.md"
WORDS = (
    "centre-surround, 16 5x5 inhibited average, 12 centred saturating pool, 8 local bias tanh, 5 1x1 rectified",
    "6 4x4 hardtanh, 4 local pool, head average",
    "centre-surround learned, 4 bias average, 5 1x1 linear",
    "whitened 4x4, 6 1x1 saturating average",
)


def some(shape, count=12, seed=0):
    rng = np.random.default_rng(seed)
    images, tests = (rng.integers(0, 256, (count, *shape)).astype(np.uint8) for _ in range(2))
    return ns.Dataset("some", images, np.arange(count) % 2, tests, np.arange(count) % 2, ("a", "b"))


def made(network, shape=(8, 8, 3), scale=1.0, **words):
    """An experiment whose weights are not as they were drawn."""
    experiment = ns.Experiment(
        data=some(shape), network=network, batch=4, epochs=1, threads=1, **{"rule": "none", **words}
    )
    rng = np.random.default_rng(1)
    for synapse in experiment.model.network.synapses:
        weight = synapse.weight.host()
        synapse.weight.put(weight + scale * weight.std() * rng.normal(size=weight.shape))
    return experiment


def written(experiment, path):
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    return ns.export.write(experiment, path), pytest.importorskip("onnxruntime")


@pytest.mark.parametrize(
    ("network", "shape"),
    [(name, (16, 16, 3)) for name in presets.available()]
    + [(WORDS[0], (8, 8, 3)), (WORDS[1], (12, 8, 1)), (WORDS[2], (6, 6, 3)), ("8 1x1 hardtanh, 3 1x1 tanh", (1, 1, 7))],
)
def test_onnx_gives_the_same_features_of_any_batch(network, shape, tmp_path):
    experiment = made(network, shape, 0.2)
    found, runtime = written(experiment, tmp_path / "m.onnx")
    assert re.search(r"checked: features of onnxruntime \S+ differ by \S+ of the largest at most$", str(found))
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"))
    layers = len(experiment.model.network)
    assert [each.name for each in session.get_outputs()] == [
        f"{what}{number}" for number in range(1, layers + 1) for what in ("layer", "features")
    ]
    images = experiment.data.test_images
    for count in (1, 7):
        outputs = dict(
            zip(
                [each.name for each in session.get_outputs()],
                session.run(None, {"images": images[:count]}),
                strict=True,
            )
        )
        for number, mine in experiment.encode(images[:count], "all").items():
            assert outputs[f"features{number}"].shape == mine.shape
            assert np.abs(outputs[f"features{number}"] - mine).max() <= 1e-5 * max(1, np.abs(mine).max())
            shape = experiment.model.network.populations[number].shape
            assert outputs[f"layer{number}"].shape == (count, *shape)


def test_activity_is_that_of_the_layers(tmp_path):
    experiment = made("4 hardtanh, 5 pool")
    _, runtime = written(experiment, tmp_path / "m.onnx")
    encoder, images = experiment.model.encoder(), experiment.data.test_images[:3]
    encoder.stimulus.load(images)
    with ThreadTeam(1) as team:
        encoder.program.run(team)
    outputs = runtime.InferenceSession(str(tmp_path / "m.onnx")).run(["layer1", "layer2"], {"images": images})
    for found, population in zip(outputs, encoder.network.populations[1:], strict=True):
        np.testing.assert_allclose(found, population.activity.array[:3], atol=1e-6)


def test_a_crop_is_part_of_the_graph_and_pixels_are_scaled(tmp_path):
    experiment = made("4 hardtanh pool", (10, 10, 3), crop=6, pixels="unit")
    _, runtime = written(experiment, tmp_path / "m.onnx")
    images = experiment.data.test_images
    (found,) = runtime.InferenceSession(str(tmp_path / "m.onnx")).run(["features1"], {"images": images})
    np.testing.assert_allclose(found, experiment.encode(images), atol=1e-6)


def test_metadata_are_what_a_stranger_must_know(tmp_path):
    experiment = made("4 hardtanh pool", rule="ll")
    written(experiment, tmp_path / "m.onnx")
    import onnx

    about = {each.key: each.value for each in onnx.load(tmp_path / "m.onnx").metadata_props}
    assert about["rule"] == "ll" and about["network"] == "4 hardtanh pool" and about["image"] == "8x8x3"
    assert "no violation found" in about["audit"] and about["licence"] == "not stated (neurosim itself: MIT)"
    assert json.loads(about["config"])["rule"]["name"] == "ll"


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_weights_come_back_under_the_same_names(ending, tmp_path):
    if ending == "safetensors":
        pytest.importorskip("safetensors", reason="the extra safetensors is not installed")
    experiment, path = made("4 bias hardtanh, 5 centred pool"), tmp_path / f"m.{ending}"
    found = ns.export.write(experiment, path, licence="CC0")
    assert str(found) == f"{path}: 297 weights as W1, bW1, W2, V2"
    arrays, about = ns.export.read(path)
    assert set(arrays) == {"W1", "bW1", "W2", "V2"}
    assert about["licence"] == "CC0"
    again = ns.export.load(path, data=experiment.data)
    images = experiment.data.test_images
    np.testing.assert_array_equal(again.encode(images), experiment.encode(images))
    assert again.readout().learned == (1, 2)  # they are not as they were drawn


def test_a_file_without_metadata_needs_a_network(tmp_path):
    experiment, path = made("4 hardtanh, 5 pool"), tmp_path / "bare.npz"
    np.savez(path, **{synapse.name: synapse.weight.host() for synapse in experiment.model.network.synapses})
    with pytest.raises(RunError, match="does not say which network it is of"):
        ns.export.load(path, data=experiment.data)
    again = ns.export.load(path, data=experiment.data, network="4 hardtanh, 5 pool", rule="none", batch=4)
    np.testing.assert_array_equal(
        again.encode(experiment.data.test_images), experiment.encode(experiment.data.test_images)
    )
    with pytest.raises(RunError, match=r"W2 in .*bare.npz is \(3, 3, 4, 5\); expected \(3, 3, 4, 6\)"):
        ns.export.load(path, data=experiment.data, network="4 hardtanh, 6 pool", rule="none", batch=4)
    with pytest.raises(RunError, match=r"W2 in .* expected no such array"):
        ns.export.load(path, data=experiment.data, network="4 hardtanh", rule="none", batch=4)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("m.pt", b"", "weights in m.pt; expected a .safetensors or .npz file"),
        ("m.npz", b"nonsense", "cannot be read"),
        ("m.safetensors", b"nonsense", "cannot be read"),
        ("none.npz", None, "no file"),
    ],
)
def test_what_is_no_file_of_weights_is_refused(name, content, words, tmp_path):
    if name.endswith("safetensors"):
        pytest.importorskip("safetensors", reason="the extra safetensors is not installed")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RunError, match=words) as caught:
        ns.export.read(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_expressed_is_refused_by_name(tmp_path, monkeypatch):
    experiment = made("4 tanh pool")
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    monkeypatch.delitem(operators.OPERATORS, "pool")
    with pytest.raises(
        WiringError, match=r"kernel pool \(layer 1 responds\) in ONNX; expected one of present, convolve"
    ):
        ns.export.write(experiment, tmp_path / "m.onnx")
    monkeypatch.undo()
    monkeypatch.delitem(operators.RESPONSES, "tanh")
    with pytest.raises(WiringError, match="nonlinearity tanh in ONNX"):
        ns.export.write(experiment, tmp_path / "m.onnx")
    with pytest.raises(WiringError, match="views by grey in ONNX"):
        ns.export.write(made("4 pool", grey=True), tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_runtime_that_computes_something_else_is_found(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    monkeypatch.setitem(operators.RESPONSES, "hardtanh", "Tanh")
    with pytest.raises(RunError, match=r"differ by .* of the largest at most .*; expected at most 1e-05"):
        ns.export.write(made("4 hardtanh pool"), tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_taken_or_have_no_format(tmp_path):
    experiment, path = made("4 pool"), tmp_path / "m.npz"
    ns.export.write(experiment, path)
    for other, words in (
        (path, "is there already"),
        (tmp_path / "m.h5", "ends in .h5; expected one of .onnx"),
        (tmp_path / "a" / "m.npz", "could not be written"),
    ):
        with pytest.raises(NeurosimError, match=words):
            ns.export.write(experiment, other)
    ns.export.write(experiment, path, force=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.npz"]


def test_the_command(tmp_path, capsys):
    experiment = ns.Experiment(data=some((8, 8, 3)), network="4 pool", batch=4, epochs=1, lags=2, threads=1).fit(
        tmp_path / "a"
    )
    assert experiment.run is not None
    for words, code, said in (
        (["export", "a", "m.npz", "--licence", "CC0"], 0, "m.npz: 108 weights as W1\n"),
        (["export", "a", "m.npz"], 2, "is there already; expected a new file; choose another name, or write --force"),
        (["export", "a", "m.npz", "--force"], 0, "m.npz: 108"),
        (["export", "none", "b.npz"], 2, "holds no config.json"),
    ):
        with pytest.raises(SystemExit) as ended:
            main([str(tmp_path / word) if word in ("a", "m.npz", "none", "b.npz") else word for word in words])
        printed = "".join(capsys.readouterr())
        assert ended.value.code == code and said in printed, printed
    assert (
        ns.export.read(tmp_path / "m.npz")[1]["audit"]
        == json.loads((tmp_path / "a" / "audit.json").read_text("utf-8"))["line"]
    )


def test_the_page_lists_every_operator():
    page = PAGE.read_text("utf-8")
    for kernel, operator in operators.OPERATORS.items():
        assert f"| `{kernel}` | {operator.part} | {operator.words} |" in page
    for name, words in operators.RESPONSES.items():
        assert f"| `{name}` | {words} |" in page
    assert set(operators.RESPONSES) == set(NONLINEARITIES)
