"""Cross entropy with labels: what the same network learns where a teacher is allowed; a reference that breaks condition (iv)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.kernel import Kernel, Kind
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.kernels.comparison.gpu import notes, tally
from neurosim.kernels.sources import register
from neurosim.losses.base import Loss

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu
    from neurosim.parts.error_units import ViewErrorUnits


class Supervised(Loss):
    """``sum over views of -log softmax(z)_label``: a unit of the head for each class; units beyond the classes stay silent."""

    name = "supervised"
    summary = "cross entropy with labels: supervised, so it is not plausible; a reference"
    labels = True

    def wire(self, units: ViewErrorUnits) -> Iterator[Step]:
        view1 = None if units.error1 is None else units.view1
        yield Step(
            supervised,
            f"error units {units.head.number} compare with labels",
            "e = softmax(z) - (1 for the label's unit, 0 for others)",
            {
                "view1": view1,
                "view2": units.view2,
                "label": units.label,
                "error1": units.error1,
                "error2": units.error2,
                "value": units.value,
            },
        )


supervised = Kernel(
    "supervised",
    kind=Kind.COMPARE,
    reads={"view1": "?pair unit", "view2": "pair unit", "label": "pair: index"},
    writes={"error1": "?pair unit", "error2": "pair unit"},
    sums={"value": "3: float64"},
    equation="value = sum of -log softmax(view)_label, answers that are wrong, answers",
)


def _learning(view1: Array | None, error1: Array | None, view2: Array, error2: Array) -> list[tuple[Array, Array]]:
    """The views that learn, each with its error: both, or under the gradient block view 2."""
    both = [] if view1 is None or error1 is None else [(view1, error1)]
    return [*both, (view2, error2)]


@supervised.reference
def _(
    view2: Array,
    label: Array,
    error2: Array,
    value: Array,
    view1: Array | None = None,
    error1: Array | None = None,
) -> None:
    """``e_u = exp(z_u) / sum_v exp(z_v) - [u is the label]`` for every view that learns.

    Args:
        view1, view2: ``(N, D)``; view 1 is None where it does not learn.
        label: int64 ``(N,)``, below D.
        error1, error2: ``(N, D)``, written.
        value: ``(3,)``, added to: the loss, the views whose largest unit is not the label's, all views.
    """
    for view, error in _learning(view1, error1, view2, error2):
        for i in range(len(view)):
            top = max(view[i])
            total = sum(np.exp(z - top) for z in view[i])
            for u in range(len(view[i])):
                error[i, u] = np.exp(view[i, u] - top) / total - (u == label[i])
            value[0] += np.log(total) + top - view[i, label[i]]
            value[1] += view[i, label[i]] < top
            value[2] += 1


@supervised.cpu
def _(
    view2: Array,
    label: Array,
    error2: Array,
    value: Array,
    view1: Array | None = None,
    error1: Array | None = None,
) -> None:
    for view, error in _learning(view1, error1, view2, error2):
        rows, top = np.arange(len(view)), view.max(axis=1, keepdims=True)
        np.exp(view - top, out=error)
        total = error.sum(axis=1, keepdims=True)
        error /= total
        error[rows, label] -= 1
        right = view[rows, label]
        value += (float((np.log(total) + top)[:, 0].sum() - right.sum()), int((right < top[:, 0]).sum()), len(view))


@supervised.gpu
def _(
    gpu: Gpu,
    view2: Array,
    label: Array,
    error2: Array,
    value: Array,
    view1: Array | None = None,
    error1: Array | None = None,
) -> None:
    for view, error in _learning(view1, error1, view2, error2):
        _, loss, state = notes(gpu, (len(view),), view.dtype)
        gpu.launch(view.dtype, "supervised", len(view), view, label, error, loss, state, view.shape[1])
        tally(gpu, loss, state, value)


register("""
KERNEL supervised(const REAL *view, const Long *label, REAL *error, double *loss, Byte *state, int units, Index count)
{
    EACH(i) {
        const REAL *z = view + i * units;
        REAL top = z[0];
        double total = 0;
        for (int u = 1; u < units; u++)
            if (z[u] > top) top = z[u];
        for (int u = 0; u < units; u++) total += exp((double)(z[u] - top));
        for (int u = 0; u < units; u++)
            error[i * units + u] = (REAL)(exp((double)(z[u] - top)) / total - (u == label[i]));
        loss[i] = log(total) + top - z[label[i]];
        state[i] = z[label[i]] < top ? ACTIVE : INACTIVE;
    }
}
""")
