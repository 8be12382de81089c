"""Operators of ONNX for every kernel that a network encodes with: one function a kernel, with a line for docs/export.md.

Inside the graph maps are ``(sample, channel, row, column)``, as ONNX has them; a pooled layer's potentials are one whole map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import neurosim as ns

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.core.step import Step
    from neurosim.core.typing import Array

OPSET = 17
RESPONSES = {
    "linear": "Identity",
    "tanh": "Tanh",
    "hardtanh": "Clip -1, 1",
    "rectified": "Relu",
    "inhibited": "Relu",
    "saturating": "Clip 0, 1",
}


class Translation:
    """A graph that grows step by step.

    Args:
        library: onnx.

    Attributes:
        nodes: of the graph, in order.
        initializers: its constants.
    """

    def __init__(self, library: Any):
        self.library, self.nodes, self.initializers = library, [], []  # type: ignore[var-annotated]
        self._tensors: dict[str, str] = {}
        self._count = 0

    def constant(self, name: str, values: Array) -> str:
        """A constant under a name of its own; gives the name."""
        self.initializers.append(self.library.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """An operator; gives the name of its result."""
        self._count += 1
        output = output or f"t{self._count}"
        self.nodes.append(self.library.helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def scalar(self, value: float) -> str:
        """A number."""
        self._count += 1
        return self.constant(f"number{self._count}", np.array(value, np.float32))

    def tensor(self, buffer: Buffer) -> str:
        """The tensor that holds what a buffer holds now."""
        return self._tensors[buffer.base.name]

    def set(self, buffer: Buffer, tensor: str) -> None:
        """From now on this tensor holds what the buffer holds."""
        self._tensors[buffer.base.name] = tensor

    def step(self, step: Step) -> None:
        """The operators of a step.

        Raises:
            WiringError: a kernel that none are known for.
        """
        name = step.kernel.name
        if name not in OPERATORS:
            known = ", ".join(OPERATORS)
            raise ns.errors.WiringError(
                f"kernel {name} ({step.label}) in ONNX", f"one of {known}", "export .safetensors or .npz"
            )
        OPERATORS[name].translate(self, step)


class Operator(NamedTuple):
    """How a kernel is written.

    Attributes:
        translate: adds it to a graph.
        part: what has it, as networks are written.
        words: the operators, for a reader.
    """

    translate: Callable[[Translation, Step], None]
    part: str
    words: str


OPERATORS: dict[str, Operator] = {}
Translator = Callable[[Translation, "Step"], None]


def _writes(kernel: str, part: str, words: str) -> Callable[[Translator], Translator]:
    def register(translate: Translator) -> Translator:
        OPERATORS[kernel] = Operator(translate, part, words)
        return translate

    return register


def _pads(side: int) -> list[int]:
    """The border of a field of so many rows and columns: of an even one more lies below and to the right."""
    before = (side - 1) // 2
    return [before, before, side - 1 - before, side - 1 - before]


def _host(buffer: Buffer) -> Array:
    """Weights in float32."""
    found: Array = np.asarray(buffer.host(), np.float32)
    return found


@_writes("present", "pixels, `--pixels`", "Cast, Mul, Add, Transpose")
def _present(graph: Translation, step: Step) -> None:
    image, shown = step.buffers["image"], step.buffers["activity"]
    gain, offset = (float(str(step.scalars[name])) for name in ("gain", "offset"))
    pixels = graph.node("Cast", graph.tensor(image), to=graph.library.TensorProto.FLOAT)
    scaled = graph.node("Mul", pixels, graph.scalar(gain / 255))
    shifted = graph.node("Add", scaled, graph.scalar(offset))
    graph.set(shown, graph.node("Transpose", shifted, perm=[0, 3, 1, 2]))


@_writes(
    "convolve",
    "a layer `32`, `32 5x5`, `32 1x1` (dense, where there is one place); `centre-surround`, `whitened 6x6`",
    "Conv",
)
def _convolve(graph: Translation, step: Step) -> None:
    weight = step.buffers["weight"]
    values = _host(weight)
    name = graph.constant(weight.name, values.transpose(3, 2, 0, 1))
    below = graph.tensor(step.buffers["presynaptic"])
    graph.set(step.buffers["potential"], graph.node("Conv", below, name, pads=_pads(len(values))))


@_writes("convolve_local", "`local`", "Conv with a 1 for each tap, Transpose, MatMul a place, Transpose")
def _convolve_local(graph: Translation, step: Step) -> None:
    weight = step.buffers["weight"]
    values = _host(weight)
    rows, columns, side, _, below, above = values.shape
    fields = side * side * below
    taps = np.eye(fields, dtype=np.float32).reshape(fields, side, side, below).transpose(0, 3, 1, 2)
    one_hot = graph.constant(f"taps of {weight.name}", taps)
    seen = graph.node("Conv", graph.tensor(step.buffers["presynaptic"]), one_hot, pads=_pads(side))
    places = graph.node("Transpose", seen, perm=[2, 3, 0, 1])  # row, column, sample, tap
    name = graph.constant(weight.name, values.reshape(rows, columns, fields, above))
    product = graph.node("MatMul", places, name)
    graph.set(step.buffers["potential"], graph.node("Transpose", product, perm=[2, 3, 0, 1]))


@_writes("add_bias", "`bias`", "Add")
def _add_bias(graph: Translation, step: Step) -> None:
    weight, potential = step.buffers["weight"], step.buffers["potential"]
    name = graph.constant(weight.name, _host(weight).reshape(1, -1, 1, 1))
    graph.set(potential, graph.node("Add", graph.tensor(potential), name))


@_writes("sum_field", "`centred`: the interneurons' field", "Conv with equal weights")
def _sum_field(graph: Translation, step: Step) -> None:
    activity, total = step.buffers["activity"], step.buffers["total"]
    side, scale = int(str(step.scalars["side"])), float(str(step.scalars["scale"]))
    equal = np.full((1, activity.shape[-1], side, side), scale, np.float32)
    name = graph.constant(f"field of {total.name}", equal)
    graph.set(total, graph.node("Conv", graph.tensor(activity), name, pads=_pads(side)))


@_writes("inhibit_place", "`centred`: what they take off", "Conv 1x1, Sub")
def _inhibit_place(graph: Translation, step: Step) -> None:
    weight, potential = step.buffers["weight"], step.buffers["potential"]
    name = graph.constant(weight.name, _host(weight).transpose(3, 2, 0, 1))
    taken = graph.node("Conv", graph.tensor(step.buffers["presynaptic"]), name)
    graph.set(potential, graph.node("Sub", graph.tensor(potential), taken))


@_writes("inhibit", "lateral inhibition of `inhibited`, `saturating`", "ReduceMean over channels, Sub")
def _inhibit(graph: Translation, step: Step) -> None:
    potential = step.buffers["potential"]
    mean = graph.node("ReduceMean", graph.tensor(potential), axes=[1], keepdims=1)
    graph.set(potential, graph.node("Sub", graph.tensor(potential), mean))


def _respond(graph: Translation, tensor: str, step: Step) -> str:
    """``x = phi(u)``."""
    phi = str(step.scalars["nonlinearity"])
    if phi not in RESPONSES:
        raise ns.errors.WiringError(
            f"nonlinearity {phi} in ONNX", f"one of {', '.join(RESPONSES)}", "export .safetensors or .npz"
        )
    kind, *bounds = RESPONSES[phi].replace(",", "").split()
    return graph.node(kind, tensor, *(graph.scalar(float(bound)) for bound in bounds))


@_writes("activate", "a nonlinearity, see below", "one operator")
def _activate(graph: Translation, step: Step) -> None:
    graph.set(step.buffers["activity"], _respond(graph, graph.tensor(step.buffers["potential"]), step))


@_writes("pool", "`pool`", "MaxPool 2x2, then the nonlinearity")
def _pool(graph: Translation, step: Step) -> None:
    highest = graph.node("MaxPool", graph.tensor(step.buffers["potential"]), kernel_shape=[2, 2], strides=[2, 2])
    graph.set(step.buffers["activity"], _respond(graph, highest, step))


@_writes("pool_mean", "`average`", "the nonlinearity, then AveragePool 2x2")
def _pool_mean(graph: Translation, step: Step) -> None:
    active = _respond(graph, graph.tensor(step.buffers["potential"]), step)
    graph.set(step.buffers["activity"], graph.node("AveragePool", active, kernel_shape=[2, 2], strides=[2, 2]))
