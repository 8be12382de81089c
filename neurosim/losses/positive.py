"""Positives only: the views of one image are drawn together, nothing is pushed apart. It collapses: for teaching."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.kernel import Kernel, Kind
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.kernels.comparison.gpu import notes, tally
from neurosim.kernels.comparison.reference import compare
from neurosim.kernels.sources import register
from neurosim.losses.base import Loss

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu
    from neurosim.parts.error_units import ViewErrorUnits


class Positive(Loss):
    """``1/(2N) mean_i d(z1_i, z2_i)``."""

    name = "positive"
    summary = "positives only: collapses, for teaching"

    def wire(self, units: ViewErrorUnits) -> Iterator[Step]:
        yield from self.together(units, positive, "e = +sign(z[2] - z[1]) / (2 N N)")


positive = Kernel(
    "positive",
    kind=Kind.COMPARE,
    reads={"view1": "pair unit", "view2": "pair unit"},
    writes={"error1": "?pair unit", "error2": "pair unit"},
    sums={"value": "3: float64"},
    equation="value = 1/(2N) mean_i d(z1_i, z2_i)",
)


@positive.reference
def _(view1: Array, view2: Array, error2: Array, value: Array, error1: Array | None = None) -> None:
    """``1/(2N) mean_i d(z1_i, z2_i)``, N pairs.

    Args:
        view1, view2: ``(N, D)``.
        error1, error2: ``(N, D)``, written; error1 may be None.
        value: ``(3,)``, added to: the loss, the active comparisons, all comparisons.
    """
    pairs = len(view1)
    for i in range(pairs):
        error2[i] = compare(view1[i], view2[i], 1, 0, 1 / (2 * pairs**2), value)
        if error1 is not None:
            error1[i] = -error2[i]


@positive.cpu
def _(view1: Array, view2: Array, error2: Array, value: Array, error1: Array | None = None) -> None:
    weight = 1 / (2 * len(view1) ** 2)
    apart = view2 - view1
    np.multiply(np.sign(apart), apart.dtype.type(weight), out=error2)
    if error1 is not None:
        np.negative(error2, out=error1)
    active = int((np.abs(apart).sum(axis=1) > 0).sum())
    value += (weight * float(np.abs(apart).sum()), active, len(view1))


@positive.gpu
def _(gpu: Gpu, view1: Array, view2: Array, error2: Array, value: Array, error1: Array | None = None) -> None:
    share = 1 / (2 * len(view1) ** 2)
    _, loss, state = notes(gpu, (len(view1),), view1.dtype)
    gpu.launch(view1.dtype, "positive", view1.size, view1, view2, error2, share)
    if error1 is not None:
        gpu.launch(view1.dtype, "opposite", view1.size, error2, error1)
    gpu.launch(view1.dtype, "compare_own", len(view1), view1, view2, loss, state, view1.shape[1], share)
    tally(gpu, loss, state, value)


register("""
KERNEL positive(const REAL *view1, const REAL *view2, REAL *error2, double weight, Index count)
{
    EACH(i) error2[i] = (REAL)weight * sign(view2[i] - view1[i]);
}

KERNEL opposite(const REAL *error2, REAL *error1, Index count)
{
    EACH(i) error1[i] = -error2[i];
}

KERNEL compare_own(const REAL *view1, const REAL *view2, double *loss, Byte *state, int units, double weight, Index count)
{
    EACH(i) {
        REAL unused;
        note(distance(view1 + i * units, view2 + i * units, units), 1, weight, &unused, loss + i, state + i);
    }
}
""")
