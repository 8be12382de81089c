"""A network that encodes as an ONNX model: the plan's steps, every layer's activity and features as outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import neurosim as ns
from neurosim.export.operators import OPSET, Translation

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.experiment import Experiment
    from neurosim.readout.features import Encoder

TOLERANCE = 1e-5  # of the largest feature: what two orders of float32 sums may differ by
IR = 8  # goes with the operators' version


def library(name: str, extra: str) -> Any:
    """A library that is an optional extra.

    Raises:
        RunError: it is not installed.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise ns.errors.RunError(
            f"{name} is not installed", "it, for this format", f"pip install 'neurosim[{extra}]', or export .npz"
        ) from None


def build(experiment: Experiment, about: dict[str, str]) -> Any:
    """The model.

    Args:
        experiment: whose network, with the weights as they are now.
        about: metadata, by name.

    Raises:
        WiringError: what cannot be expressed, by its name.
        RunError: onnx is not installed.
    """
    onnx = library("onnx", "onnx")
    library("onnx.numpy_helper", "onnx")
    encoder, image = experiment.model.encoder(), experiment.model.image
    _check_framing(encoder)
    graph = Translation(onnx)
    stimulus = encoder.stimulus
    seen = _cropped(graph, image, encoder.framing.crop)
    graph.set(stimulus.images, seen)
    for step in encoder.program.plan:
        graph.step(step)
    values = [onnx.helper.make_tensor_value_info("images", onnx.TensorProto.UINT8, ["sample", *image])]
    outputs = []
    for population in encoder.network.populations[1:]:
        number, (rows, columns, channels) = population.number, population.shape
        map_of = graph.tensor(population.activity)
        graph.node("Transpose", map_of, output=f"layer{number}", perm=[0, 2, 3, 1])
        _features(graph, encoder, number, map_of)
        sizes = {f"layer{number}": [rows, columns, channels], f"features{number}": [encoder.width(number)]}
        outputs += [
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["sample", *size])
            for name, size in sizes.items()
        ]
    made = onnx.helper.make_graph(graph.nodes, "encode", values, outputs, graph.initializers)
    versions = {"opset_imports": [onnx.helper.make_opsetid("", OPSET)], "ir_version": IR}
    model = onnx.helper.make_model(made, producer_name="neurosim", producer_version=ns.__version__, **versions)
    onnx.helper.set_model_props(model, about)
    onnx.checker.check_model(model)
    return model


def _check_framing(encoder: Encoder) -> None:
    """Refuse what happens to pictures before the network and is not in its plan."""
    framing = encoder.framing
    for name, there in (("patches", framing.patch is not None), ("grey", framing.grey)):
        if there:
            raise ns.errors.WiringError(
                f"views by {name} in ONNX", "whole pictures or crops, in colours", "export .safetensors or .npz"
            )


def _cropped(graph: Translation, image: tuple[int, int, int], crop: int | None) -> str:
    """The middle of the pictures, where a crop is shown."""
    if crop is None or image[:2] == (crop, crop):
        return "images"
    starts = [(size - crop) // 2 for size in image[:2]]
    numbers = {"starts": starts, "ends": [start + crop for start in starts], "axes": [1, 2]}
    parts = [graph.constant(f"crop {name}", np.array(value, np.int64)) for name, value in numbers.items()]
    return graph.node("Slice", "images", *parts)


def _features(graph: Translation, encoder: Encoder, number: int, tensor: str) -> None:
    """What the read-out sees of a layer: means over the cells of a coarse grid, one row a picture."""
    rows, columns, channels = encoder.network.populations[number].shape
    cells = encoder.width(number) // channels
    down, across = next((d, a) for d, a in _grids(rows, columns, encoder.grid) if d * a == cells)
    sizes = [rows // down, columns // across]
    means = tensor if sizes == [1, 1] else graph.node("AveragePool", tensor, kernel_shape=sizes, strides=sizes)
    last = graph.node("Transpose", means, perm=[0, 2, 3, 1])
    graph.node("Flatten", last, output=f"features{number}", axis=1)


def _grids(rows: int, columns: int, grid: int) -> list[tuple[int, int]]:
    """The finest grid of whole cells."""
    down, across = (max(d for d in range(1, min(grid, size) + 1) if size % d == 0) for size in (rows, columns))
    return [(down, across)]


@dataclass(frozen=True)
class Comparison:
    """What another runtime makes of a model.

    Args:
        runtime: its name and version.
        apart: the largest difference of a feature, in units of its layer's largest.
        theirs, mine: how far both are from float64; None where they are no further apart than `TOLERANCE`.
    """

    runtime: str
    apart: float
    theirs: float | None = None
    mine: float | None = None

    @property
    def agrees(self) -> bool:
        """Whether it computes the same: within the tolerance, or as near to float64 as this package is."""
        return self.apart <= TOLERANCE or (self.theirs is not None and self.theirs <= 2 * (self.mine or 0))

    def __str__(self) -> str:
        text = f"features of {self.runtime} differ by {self.apart:.1g} of the largest at most"
        if self.theirs is None:
            return text
        return f"{text} (from float64 it is {self.theirs:.1g} away, neurosim {self.mine:.1g}: float32 rounds)"


def compare(model: bytes, experiment: Experiment, samples: Array) -> Comparison:
    """Run the model in another runtime.

    Args:
        model: as it is written.
        experiment: that it was made of.
        samples: pictures; they are shown together and in parts, so that the batch is dynamic.

    Raises:
        RunError: another runtime is not installed.
    """
    runtime = library("onnxruntime", "onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    wanted = experiment.encode(samples, "all")
    names = [f"features{number}" for number in wanted]
    parts = [slice(None), slice(0, 1), slice(1, None)]
    given = [session.run(names, {"images": samples[part]}) for part in parts]
    mine = [[features[part] for features in wanted.values()] for part in parts]
    called, apart = f"onnxruntime {runtime.__version__}", _apart(given, mine)
    if apart <= TOLERANCE:
        return Comparison(called, apart)
    exact = [[features[part] for features in _exactly(experiment, samples).values()] for part in parts]
    return Comparison(called, apart, _apart(given, exact), _apart(mine, exact))


def _apart(found: list[list[Array]], wanted: list[list[Array]]) -> float:
    """The largest difference, in units of the largest of its array."""
    pairs = [pair for one, other in zip(found, wanted, strict=True) for pair in zip(one, other, strict=True)]
    return max(float(np.abs(one - other).max()) / max(float(np.abs(other).max()), 1e-30) for one, other in pairs)


def _exactly(experiment: Experiment, samples: Array) -> dict[int, Array]:
    """The same features in float64."""
    config = experiment.config
    blank = np.zeros((config.training.batch, *experiment.model.image), np.uint8)
    data = ns.Dataset("<arrays>", blank, None, None, None, ())
    words = {"rule": "none", "loss": "hinge", "precision": "float64", "device": "cpu"}
    twin = ns.Experiment.configured(config.to_json(), None, **words, data=data)
    mine = {synapse.name: synapse.weight.host() for synapse in experiment.model.network.synapses}
    for synapse in twin.model.network.synapses:
        synapse.weight.put(mine[synapse.name])
    return twin.encode(samples, "all")
