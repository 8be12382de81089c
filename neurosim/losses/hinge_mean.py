"""The mean-over-active hinge, used by the published target propagation: it divides by a count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.kernel import Kernel, Kind
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.kernels.comparison.gpu import both, notes, part, pull, tally
from neurosim.kernels.comparison.reference import compare
from neurosim.kernels.sources import register
from neurosim.losses.base import Delta, Loss, Threshold, margins

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu
    from neurosim.parts.error_units import ViewErrorUnits


class HingeMean(Loss):
    """All 2N activities against each other: positive hinge plus the mean of the active negatives, mean over rows.

    Parameters: threshold and delta as for `neurosim.losses.hinge.Hinge`. Source: Tang, Yang, Amit 2022.

    Raises:
        WiringError: margins below zero.
    """

    name = "hinge-mean"
    summary = "hinge over both views, negatives averaged over the active ones: divides by a count"

    def __init__(self, threshold: Threshold = 2.0, delta: Delta = 1.0) -> None:
        self.margins = margins(threshold, delta)

    def wire(self, units: ViewErrorUnits) -> Iterator[Step]:
        yield from self.together(units, hinge_mean, "e = d mean-over-active hinge(z[1], z[2]) / dz", self.margins)


hinge_mean = Kernel(
    "hinge_mean",
    kind=Kind.COMPARE,
    reads={"view1": "pair unit", "view2": "pair unit"},
    writes={"error1": "?pair unit", "error2": "pair unit"},
    sums={"value": "3: float64"},
    scalars=("margin_positive", "margin_negative"),
    equation="value = mean_i ([d(z_i, z_partner) - m+]_+ + mean over active j of [m- - d(z_i, z_j)]_+)",
)


@hinge_mean.reference
def _(
    view1: Array,
    view2: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    margin_positive: float,
    margin_negative: float,
) -> None:
    """All 2N activities against each other, negatives averaged over the active ones of each row, mean over 2N rows.

    Args:
        view1, view2: ``(N, D)``.
        error1, error2: ``(N, D)``, written; error1 may be None.
        value: ``(3,)``, added to: the loss, the active comparisons, all comparisons.
        margin_positive, margin_negative: ``m+`` and ``m-``.
    """
    z = np.concatenate([view1, view2])
    error, pairs = np.zeros_like(z), len(view1)
    for i in range(len(z)):
        partner = (i + pairs) % len(z)
        others = [j for j in range(len(z)) if j not in (i, partner)]
        active = [j for j in others if np.abs(z[i] - z[j]).sum() < margin_negative]
        for j in [partner, *others]:
            sense, margin = (1, margin_positive) if j == partner else (-1, margin_negative)
            weight = 1 / len(z) if j == partner else 1 / (len(z) * max(1, len(active)))
            delta = compare(z[j], z[i], sense, margin, weight, value)
            error[i] += delta
            error[j] -= delta
    if error1 is not None:
        error1[...] = error[:pairs]
    error2[...] = error[pairs:]


@hinge_mean.cpu
def _(
    view1: Array,
    view2: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    margin_positive: float,
    margin_negative: float,
) -> None:
    """Rows of all 2N activities against all others."""
    z = np.concatenate([view1, view2])
    error, count, pairs = np.zeros_like(z), len(z), len(view1)
    for i in range(count):
        partner = (i + pairs) % count
        apart = z[i] - z
        distance = np.abs(apart).sum(axis=1)
        hinge = margin_negative - distance
        hinge[[i, partner]] = 0
        active = np.flatnonzero(hinge > 0)
        weight = 1 / (count * max(1, len(active)))
        delta = -np.sign(apart[active]) * z.dtype.type(weight)
        error[i] += delta.sum(axis=0)
        error[active] -= delta
        too_far = float(distance[partner]) - margin_positive
        if too_far > 0:
            toward = np.sign(apart[partner]) / z.dtype.type(count)
            error[i] += toward
            error[partner] -= toward
        loss = weight * float(hinge[active].sum()) + max(0.0, too_far) / count
        value += (loss, len(active) + (too_far > 0), count - 1)
    if error1 is not None:
        np.copyto(error1, error[:pairs])
    np.copyto(error2, error[pairs:])


@hinge_mean.gpu
def _(
    gpu: Gpu,
    view1: Array,
    view2: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    margin_positive: float,
    margin_negative: float,
) -> None:
    """Every comparison by a thread, then every error gathered as row and as column."""
    z = both(gpu, view1, view2)
    (count, units), margins = z.shape, (float(margin_positive), float(margin_negative))
    weight, loss, state = notes(gpu, (count, count), z.dtype)
    apart, active = gpu.workspace("apart", (count, count), "float64"), gpu.workspace("active", (count,), "int64")
    gpu.launch(z.dtype, "distances", apart.size, z, apart, count, units)
    gpu.launch(z.dtype, "count_active", count, apart, active, margins[1])
    gpu.launch(z.dtype, "weigh_mean", weight.size, apart, active, weight, loss, state, count, *margins)
    error = gpu.workspace("error", z.shape, z.dtype)
    pull(gpu, z, z, weight, error)
    pull(gpu, z, z, weight, error, turned=True, keep=True)
    part(gpu, error, error1, error2)
    tally(gpu, loss, state, value)


register("""
/* Distances of all activities from one another: (2 x pairs, 2 x pairs). */
KERNEL distances(const REAL *z, double *apart, int all, int units, Index count)
{
    EACH(q) apart[q] = distance(z + q / all * units, z + q % all * units, units);
}

/* How many negatives of every row are active. Rows and columns of the distances are alike. */
KERNEL count_active(const double *apart, Long *active, double margin, Index count)
{
    EACH(i) {
        Index partner = (i + count / 2) % count;
        Long found = 0;
        for (Index j = 0; j < count; j++) found += j != i && j != partner && apart[j * count + i] < margin;
        active[i] = found;
    }
}

KERNEL weigh_mean(const double *apart, const Long *active, REAL *weight, double *loss, Byte *state, int all,
                  double margin_positive, double margin_negative, Index count)
{
    EACH(q) {
        Index i = q / all, j = q % all;
        bool own = j == (i + all / 2) % all;
        double sense = own ? 1 : -1, margin = own ? margin_positive : margin_negative;
        double share = own || active[i] < 1 ? 1 : (double)active[i];
        note(sense * (apart[q] - margin), sense, 1 / (all * share), weight + q, loss + q, state + q);
        if (i == j) {
            weight[q] = 0;
            loss[q] = 0;
            state[q] = NONE;
        }
    }
}
""")
