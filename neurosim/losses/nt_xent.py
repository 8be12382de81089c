"""NT-Xent, the error of SimCLR (Chen et al. 2020): the reference that breaks condition (ii)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np

from neurosim.core.kernel import Kernel, Kind
from neurosim.core.options import Option
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.kernels.comparison.gpu import both, part
from neurosim.kernels.sources import register
from neurosim.losses.base import Loss

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu
    from neurosim.parts.error_units import ViewErrorUnits


class NTXent(Loss):
    """``mean over view 1 + mean over view 2 of -log(exp(s_ip / tau) / sum_j exp(s_ij / tau))``, s the cosine.

    Parameters:
        =========== ==== ==== =======
        name        unit math default
        =========== ==== ==== =======
        temperature 1    tau  0.1
        =========== ==== ==== =======

    Raises:
        WiringError: a temperature that is not positive.
    """

    name = "simclr"
    summary = "NT-Xent of SimCLR: divides and normalises, so it is not plausible; a reference"

    def __init__(
        self, temperature: Annotated[float, Option("Of the softmax.", above=0, short="of the softmax")] = 0.1
    ) -> None:
        self.temperature = temperature

    def wire(self, units: ViewErrorUnits) -> Iterator[Step]:
        scalars = {"temperature": self.temperature, "scale": 2.0}
        yield from self.together(units, nt_xent, "e = d NT-Xent(z[1], z[2]; tau) / dz", scalars)


nt_xent = Kernel(
    "nt_xent",
    kind=Kind.COMPARE,
    reads={"view1": "pair unit", "view2": "pair unit"},
    writes={"error1": "?pair unit", "error2": "pair unit"},
    sums={"value": "3: float64"},
    scalars=("temperature", "scale"),
    equation="value = scale mean_i -log(exp(s_ip / temperature) / sum_{j != i} exp(s_ij / temperature))",
)


@nt_xent.reference
def _(
    view1: Array,
    view2: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    temperature: float,
    scale: float,
) -> None:
    """``scale mean_i -log(exp(s_ip / tau) / sum_{j != i} exp(s_ij / tau))``, s the cosine of 2N activities.

    Args:
        view1, view2: ``(N, D)``.
        error1, error2: ``(N, D)``, written; error1 may be None.
        value: ``(3,)``, added to: the loss, all comparisons, all comparisons.
        temperature: tau.
        scale: 2 is the sum of the two views' means.
    """
    z = np.concatenate([view1, view2])
    count, pairs = len(z), len(view1)
    length = np.sqrt((z * z).sum(1))
    unit, toward = z / length[:, None], np.zeros(z.shape)
    for i in range(count):
        partner = (i + pairs) % count
        others = [j for j in range(count) if j != i]
        s = {j: unit[i] @ unit[j] / temperature for j in others}
        top = max(s.values())
        total = sum(np.exp(s[j] - top) for j in others)
        value[0] += scale / count * (np.log(total) + top - s[partner])
        for j in others:
            slope = scale / count / temperature * (np.exp(s[j] - top) / total - (j == partner))
            toward[i] += slope * unit[j]
            toward[j] += slope * unit[i]
    value[1:] += count * (count - 1)
    for i in range(count):
        error = error1 if i < pairs else error2
        if error is not None:
            error[i % pairs] = (toward[i] - unit[i] * (unit[i] @ toward[i])) / length[i]


@nt_xent.cpu
def _(
    view1: Array,
    view2: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    temperature: float,
    scale: float,
) -> None:
    """By one matrix of cosines."""
    z = np.concatenate([view1, view2])
    count, pairs = len(z), len(view1)
    length = np.sqrt((z * z).sum(axis=1, keepdims=True))
    unit = z / length
    cosine = unit @ unit.T / z.dtype.type(temperature)
    np.fill_diagonal(cosine, -np.inf)
    top = cosine.max(axis=1, keepdims=True)
    share = np.exp(cosine - top)
    total = share.sum(axis=1, keepdims=True)
    rows, partner = np.arange(count), (np.arange(count) + pairs) % count
    value[0] += scale * float((np.log(total) + top).mean() - cosine[rows, partner].mean())
    value[1:] += count * (count - 1)
    slope = share / total
    slope[rows, partner] -= 1
    slope *= z.dtype.type(scale / count / temperature)
    toward = (slope + slope.T) @ unit
    error = (toward - unit * (unit * toward).sum(axis=1, keepdims=True)) / length
    if error1 is not None:
        np.copyto(error1, error[:pairs])
    np.copyto(error2, error[pairs:])


@nt_xent.gpu
def _(
    gpu: Gpu,
    view1: Array,
    view2: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    temperature: float,
    scale: float,
) -> None:
    """By one matrix of cosines."""
    z = both(gpu, view1, view2)
    count, units = z.shape
    unit, toward, error = (gpu.workspace(name, z.shape, z.dtype) for name in ("unit", "toward", "error"))
    length, cosine = gpu.workspace("length", (count,), z.dtype), gpu.workspace("cosine", (count, count), z.dtype)
    slope = gpu.workspace("slope", cosine.shape, z.dtype)
    top, total, loss = (gpu.workspace(name, (1, count), "float64") for name in ("top", "total", "loss"))
    gpu.launch(z.dtype, "normalise", count, z, unit, length, units)
    gpu.matmul(unit, unit.T, cosine)
    numbers = float(temperature), float(scale)
    gpu.launch(z.dtype, "softmax_rows", count, cosine, top, total, loss, *numbers)
    gpu.launch(z.dtype, "slopes", cosine.size, cosine, top, total, slope, count, *numbers)
    gpu.matmul(slope, unit, toward)
    gpu.launch(z.dtype, "across_unit", count, toward, unit, length, error, units)
    part(gpu, error, error1, error2)
    gpu.collect(loss, value)
    comparisons = float(count * (count - 1))
    gpu.launch("float32", "count_all", 1, value, comparisons, comparisons)


register("""
KERNEL normalise(const REAL *z, REAL *unit, REAL *length, int units, Index count)
{
    EACH(i) {
        double sum = 0;
        for (int u = 0; u < units; u++) sum += (double)z[i * units + u] * z[i * units + u];
        length[i] = (REAL)sqrt(sum);
        for (int u = 0; u < units; u++) unit[i * units + u] = z[i * units + u] / length[i];
    }
}

/* The largest cosine of every row, over tau, the sum of exponentials beside it, and the row's loss. */
KERNEL softmax_rows(const REAL *cosine, double *top, double *total, double *loss, double temperature, double scale, Index count)
{
    EACH(i) {
        Index partner = (i + count / 2) % count;
        double best = -1e300, sum = 0;
        for (Index j = 0; j < count; j++)
            if (j != i && cosine[j * count + i] > best) best = cosine[j * count + i];
        best /= temperature;
        for (Index j = 0; j < count; j++)
            if (j != i) sum += exp((REAL)(cosine[j * count + i] / temperature - best));
        top[i] = best;
        total[i] = sum;
        loss[i] = scale / count * (log(sum) + best - cosine[partner * count + i] / temperature);
    }
}

/* How every activity draws every other: symmetric, (2 x pairs, 2 x pairs). */
KERNEL slopes(const REAL *cosine, const double *top, const double *total, REAL *slope, int all, double temperature, double scale,
              Index count)
{
    EACH(q) {
        Index i = q / all, j = q % all;
        double s = cosine[q] / temperature, both = 0;
        if (i != j) both = exp((REAL)(s - top[i])) / total[i] + exp((REAL)(s - top[j])) / total[j];
        if (j == (i + all / 2) % all) both -= 2;
        slope[q] = (REAL)(scale / all / temperature * both);
    }
}

KERNEL across_unit(const REAL *toward, const REAL *unit, const REAL *length, REAL *error, int units, Index count)
{
    EACH(i) {
        double along = 0;
        for (int u = 0; u < units; u++) along += (double)toward[i * units + u] * unit[i * units + u];
        for (int u = 0; u < units; u++)
            error[i * units + u] = (toward[i * units + u] - unit[i * units + u] * (REAL)along) / length[i];
    }
}
""")
