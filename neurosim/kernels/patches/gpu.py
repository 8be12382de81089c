"""The kernels on patches on a GPU: every comparison by a thread, then every error gathered in a fixed order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.core.typing import Array
from neurosim.kernels.comparison.gpu import notes, tally
from neurosim.kernels.patches import clapp, deliver_prediction, gaze, hebbian_prediction, predict
from neurosim.kernels.sources import register

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

register(Path(__file__).with_name("kernels.cu"))


def _order(gpu: Gpu, negative: Array, patches: int) -> tuple[Array, Array]:
    """Which comparisons drew each patch: their numbers in order of patches, and where each patch begins."""
    order, start = gpu.workspace("order", negative.shape, "int64"), gpu.workspace("start", (patches + 1,), "int64")
    gpu.launch("float32", "rank", negative.size, negative, order)
    gpu.launch("float32", "starts", start.size, negative, order, start, negative.size)
    return order, start


def _anchors(gpu: Gpu, view: Array, grid: int) -> Array:
    """The anchors of all rows but the last two, ``(G - 2, N x G x P, D)``, a copy."""
    patches, places, units = view.shape
    pictures = patches // grid**2
    anchors: Array = gpu.workspace("anchors", (grid - 2, pictures * grid * places, units), view.dtype)
    gpu.launch(view.dtype, "take_anchors", anchors.size, view, anchors, pictures, grid, places * units)
    return anchors


@gaze.gpu
def _(
    gpu: Gpu,
    view: Array,
    negative: Array,
    error: Array,
    value: Array,
    *,
    grid: int,
    negatives: int,
    margin_positive: float,
    margin_negative: float,
) -> None:
    (patches, units), right = view.shape, negative.size // negatives
    sizes = right, patches // grid**2, grid, negatives, units
    margins = float(margin_positive), float(margin_negative)
    weight, loss, state = notes(gpu, (right + negative.size,), view.dtype)
    gpu.launch(view.dtype, "compare_gaze", weight.size, view, negative, weight, loss, state, *sizes, *margins)
    order, start = _order(gpu, negative, patches)
    gpu.launch(view.dtype, "gather_gaze", error.size, view, negative, order, start, weight, error, *sizes)
    tally(gpu, loss, state, value)


@predict.gpu
def _(gpu: Gpu, view: Array, weight: Array, prediction: Array, *, grid: int) -> None:
    anchors = _anchors(gpu, view, grid)
    gpu.matmul(anchors, weight, prediction.reshape(anchors.shape))


@clapp.gpu
def _(
    gpu: Gpu,
    view: Array,
    prediction: Array,
    negative: Array,
    error: Array,
    factor: Array,
    value: Array,
    *,
    grid: int,
    negatives: int,
) -> None:
    patches, right = len(view), negative.size // negatives
    sizes = right, patches // grid**2, grid, negatives, view.size // patches
    weight, loss, state = notes(gpu, (right + negative.size,), view.dtype)
    gpu.launch(view.dtype, "compare_clapp", weight.size, view, prediction, negative, weight, loss, state, *sizes)
    order, start = _order(gpu, negative, patches)
    gpu.launch(view.dtype, "gather_clapp", error.size, prediction, order, start, weight, error, *sizes)
    gpu.launch(view.dtype, "factor_clapp", factor.size, view, negative, weight, factor, *sizes)
    tally(gpu, loss, state, value)


@deliver_prediction.gpu
def _(gpu: Gpu, factor: Array, weight: Array, error: Array, *, grid: int) -> None:
    rows, units = len(factor), weight.shape[2]
    sent = gpu.workspace("anchors", (rows, factor[0].size // units, weight.shape[1]), error.dtype)
    gpu.matmul(factor.reshape(rows, -1, units), weight.swapaxes(1, 2), sent)
    size = error.size // len(error)
    gpu.launch(error.dtype, "add_anchors", sent.size, sent, error, factor.shape[1], grid, size)


@hebbian_prediction.gpu
def _(gpu: Gpu, view: Array, factor: Array, change: Array, *, grid: int) -> None:
    anchors = _anchors(gpu, view, grid)
    gpu.matmul(anchors.swapaxes(1, 2), factor.reshape(anchors.shape), change)
