"""The contrastive hinges on a GPU: every comparison by a thread, then every error gathered in a fixed order.

What the comparisons of several losses share stands here, too: `notes`, `tally`, `pull`, `both` and `part`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import DTypeLike

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.kernels.comparison import hinge_all, hinge_lags
from neurosim.kernels.sources import register

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

register(Path(__file__).with_name("kernels.cu"))


def notes(gpu: Gpu, shape: tuple[int, ...], dtype: DTypeLike) -> tuple[Array, Array, Array]:
    """What comparisons leave: signed weight, loss, state; valid until the next comparison."""
    weight = gpu.workspace("comparison.weight", shape, dtype)
    loss = gpu.workspace("comparison.loss", shape, "float64")
    return weight, loss, gpu.workspace("comparison.state", shape, "uint8")


def tally(gpu: Gpu, loss: Array, state: Array, value: Array) -> None:
    """Add the loss, the active comparisons and all comparisons to value."""
    parts = min(loss.size, 16 * tuning.GPU.partial_sums)
    partial = gpu.workspace("partial", (3, parts), "float64")
    gpu.launch("float32", "tally", parts, loss, state, partial, loss.size, parts)
    gpu.collect(partial, value)


def pull(
    gpu: Gpu, mine: Array, other: Array, weight: Array, out: Array, *, turned: bool = False, keep: bool = False
) -> None:
    """``out[i] = sum_j weight[i, j] sign(mine[i] - other[j])``.

    Args:
        gpu: what launches.
        mine, other: ``(I, D)`` and ``(J, D)``.
        weight: ``(I, J)``.
        out: ``(I, D)``.
        turned: the weights are ``(J, I)``.
        keep: the sum is added to what is there.
    """
    strides = (1, len(mine)) if turned else (len(other), 1)
    gpu.launch(out.dtype, "pull", out.size, mine, other, weight, out, len(other), mine.shape[1], *strides, keep)


def both(gpu: Gpu, view1: Array, view2: Array) -> Array:
    """Both views one below the other, a copy ``(2 N, D)``."""
    z: Array = gpu.workspace("both", (2 * len(view1), view1.shape[1]), view1.dtype)
    for view, rows in ((view1, z[: len(view1)]), (view2, z[len(view1) :])):
        gpu.launch(z.dtype, "copy", view.size, view, rows)
    return z


def part(gpu: Gpu, error: Array, error1: Array | None, error2: Array) -> None:
    """The error of both views ``(2 N, D)`` into one array a view; without view 1's, where that is None."""
    pairs = len(error2)
    for view, rows in ((error1, error[:pairs]), (error2, error[pairs:])):
        if view is not None:
            gpu.launch(error.dtype, "copy", view.size, rows, view)


@hinge_all.gpu
def _(
    gpu: Gpu,
    view1: Array,
    view2: Array,
    index: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    margin_positive: float,
    margin_negative: float,
) -> None:
    """Every view 2 against every view 1."""
    pairs, units = view1.shape
    weight, loss, state = notes(gpu, (len(view2), pairs), view1.dtype)
    numbers = pairs, units, float(margin_positive), float(margin_negative)
    gpu.launch(view1.dtype, "compare_all", weight.size, view1, view2, index, weight, loss, state, *numbers)
    pull(gpu, view2, view1, weight, error2)
    if error1 is not None:
        pull(gpu, view1, view2, weight, error1, turned=True, keep=True)
    tally(gpu, loss, state, value)


@hinge_lags.gpu
def _(
    gpu: Gpu,
    trace: Array,
    cursor: Array,
    view2: Array,
    index: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    pairs: int,
    lags: int,
    negative_weight: float,
    margin_positive: float,
    margin_negative: float,
) -> None:
    """Every view 2 against the memory of so many lags."""
    (capacity, units), real = trace.shape, view2.dtype
    weight, loss, state = notes(gpu, (len(view2), lags), real)
    sizes = capacity, pairs, lags, units
    numbers = float(negative_weight), float(margin_positive), float(margin_negative)
    shared = trace, cursor, view2, index, weight
    gpu.launch(real, "compare_lags", weight.size, *shared, loss, state, *sizes, *numbers)
    gpu.launch(real, "pull_lags", error2.size, *shared, error2, *sizes)
    if error1 is not None:
        gpu.launch(real, "push_lags", error1.size, *shared, error1, capacity, pairs, len(view2), lags, units)
    tally(gpu, loss, state, value)
