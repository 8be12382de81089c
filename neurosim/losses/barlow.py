"""Barlow Twins (Zbontar et al. 2021): a reference that normalises over the batch and breaks condition (ii)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.kernel import Kernel, Kind
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.kernels.sources import register
from neurosim.losses.base import Loss

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu
    from neurosim.parts.error_units import ViewErrorUnits


class BarlowTwins(Loss):
    """``1/32 (sum_i (c_ii - 1)^2 + lambda sum_{i != j} c_ij^2)``, ``c = n1^T n2 / N``, lambda 4e-3, n normalised."""

    name = "barlow"
    summary = "Barlow Twins: normalises and divides, so it is not plausible; a reference"

    def wire(self, units: ViewErrorUnits) -> Iterator[Step]:
        scalars = {"off_diagonal": 4e-3, "scale": 1 / 32, "epsilon": 1e-5}
        yield from self.together(units, barlow, "e = d Barlow(z[1], z[2]) / dz", scalars)


barlow = Kernel(
    "barlow",
    kind=Kind.COMPARE,
    reads={"view1": "pair unit", "view2": "pair unit"},
    writes={"error1": "?pair unit", "error2": "pair unit"},
    sums={"value": "3: float64"},
    scalars=("off_diagonal", "scale", "epsilon"),
    equation="value = scale (sum_i (c_ii - 1)^2 + off_diagonal sum_{i != j} c_ij^2), c = n1^T n2 / N",
)


@barlow.reference
def _(
    view1: Array,
    view2: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    off_diagonal: float,
    scale: float,
    epsilon: float,
) -> None:
    """``scale (sum_i (c_ii - 1)^2 + lambda sum_{i != j} c_ij^2)``, ``c = n1^T n2 / N``.

    ``n`` are activities normalised over the batch, ``(z - mean) / sqrt(variance + epsilon)``.

    Args:
        view1, view2: ``(N, D)``.
        error1, error2: ``(N, D)``, written; error1 may be None.
        value: ``(3,)``, added to: the loss, all comparisons, all comparisons.
        off_diagonal: lambda.
        scale: of the loss.
        epsilon: added to every variance.
    """
    pairs, units = view1.shape
    spread = [np.sqrt(z.var(0) + epsilon) for z in (view1, view2)]
    normal = [(z - z.mean(0)) / s for z, s in zip((view1, view2), spread, strict=True)]
    toward = [np.zeros((pairs, units)), np.zeros((pairs, units))]
    for i, j in np.ndindex(units, units):
        c = (normal[0][:, i] * normal[1][:, j]).sum() / pairs
        weight, apart = (1, c - 1) if i == j else (off_diagonal, c)
        value += [scale * weight * apart**2, 1, 1]
        slope = 2 * scale * weight * apart / pairs
        toward[0][:, i] += slope * normal[1][:, j]
        toward[1][:, j] += slope * normal[0][:, i]
    for error, t, n, s in zip((error1, error2), toward, normal, spread, strict=True):
        if error is not None:
            error[...] = (t - t.mean(0) - n * (t * n).mean(0)) / s


@barlow.cpu
def _(
    view1: Array,
    view2: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    off_diagonal: float,
    scale: float,
    epsilon: float,
) -> None:
    """By one matrix of correlations."""
    pairs, units = view1.shape
    spread = [np.sqrt(z.var(axis=0) + epsilon) for z in (view1, view2)]
    normal = [(z - z.mean(axis=0)) / s for z, s in zip((view1, view2), spread, strict=True)]
    apart = normal[0].T @ normal[1] / pairs - np.eye(units, dtype=view1.dtype)
    weight = np.full((units, units), off_diagonal)
    np.fill_diagonal(weight, 1)
    value += (scale * float((weight * apart**2).sum()), units**2, units**2)
    slope = (2 * scale / pairs * weight * apart).astype(view1.dtype)
    for error, other, turned, n, s in (
        (error1, normal[1], slope.T, normal[0], spread[0]),
        (error2, normal[0], slope, normal[1], spread[1]),
    ):
        if error is not None:
            t = other @ turned
            error[...] = (t - t.mean(axis=0) - n * (t * n).mean(axis=0)) / s


@barlow.gpu
def _(
    gpu: Gpu,
    view1: Array,
    view2: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    off_diagonal: float,
    scale: float,
    epsilon: float,
) -> None:
    """By one matrix of correlations."""
    (pairs, units), real = view1.shape, view1.dtype
    normal = [gpu.workspace(f"normal{n}", view1.shape, real) for n in (1, 2)]
    spread = [gpu.workspace(f"spread{n}", (units,), real) for n in (1, 2)]
    for view, n, s in zip((view1, view2), normal, spread, strict=True):
        gpu.launch(real, "standardise", units, view, n, s, pairs, float(epsilon))
    slope, loss = gpu.workspace("slope", (units, units), real), gpu.workspace("loss", (1, units**2), "float64")
    gpu.matmul(normal[0].T, normal[1], slope)
    gpu.launch(real, "leave_identity", slope.size, slope, loss, units, pairs, float(off_diagonal), float(scale))
    toward = gpu.workspace("toward", view1.shape, real)
    if error1 is not None:
        gpu.matmul(normal[1], slope.T, toward)
        gpu.launch(real, "across_batch", units, toward, normal[0], spread[0], error1, pairs)
    gpu.matmul(normal[0], slope, toward)
    gpu.launch(real, "across_batch", units, toward, normal[1], spread[1], error2, pairs)
    gpu.collect(loss, value)
    gpu.launch("float32", "count_all", 1, value, float(units**2), float(units**2))


register("""
/* Every unit's activity less its mean over the batch, over its spread. */
KERNEL standardise(const REAL *z, REAL *normal, REAL *spread, int pairs, double epsilon, Index count)
{
    EACH(u) {
        double mean = 0, power = 0;
        for (Index n = 0; n < (Index)pairs; n++) mean += z[n * count + u];
        mean /= pairs;
        for (Index n = 0; n < (Index)pairs; n++) power += (z[n * count + u] - mean) * (z[n * count + u] - mean);
        double wide = sqrt(power / pairs + epsilon);
        spread[u] = (REAL)wide;
        for (Index n = 0; n < (Index)pairs; n++) normal[n * count + u] = (REAL)((z[n * count + u] - mean) / wide);
    }
}

/* Correlations (unit of view 1, unit of view 2) become slopes in place. */
KERNEL leave_identity(REAL *correlation, double *loss, int units, int pairs, double off_diagonal, double scale, Index count)
{
    EACH(q) {
        bool own = q / units == q % units;
        double weight = own ? 1 : off_diagonal, apart = (double)correlation[q] / pairs - own;
        loss[q] = scale * weight * apart * apart;
        correlation[q] = (REAL)(2 * scale * weight * apart / pairs);
    }
}

KERNEL across_batch(const REAL *toward, const REAL *normal, const REAL *spread, REAL *error, int pairs, Index count)
{
    EACH(u) {
        double mean = 0, along = 0;
        for (Index n = 0; n < (Index)pairs; n++) {
            mean += toward[n * count + u];
            along += (double)toward[n * count + u] * normal[n * count + u];
        }
        mean /= pairs;
        along /= pairs;
        for (Index n = 0; n < (Index)pairs; n++)
            error[n * count + u] = (REAL)((toward[n * count + u] - mean - normal[n * count + u] * along) / spread[u]);
    }
}
""")
