"""Interneurons on the CPU; reference.py says what each kernel computes."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels import interneurons
from neurosim.kernels.places import before


@interneurons.sum_field.cpu
def sum_field(activity: Array, total: Array, *, side: int, scale: float) -> None:
    """Channels first, then rows, then columns of the field."""
    (n, rows, columns, _), above = activity.shape, before(side)
    pad = thread_local("sum.pad", (n, rows + side - 1, columns + side - 1), activity.dtype)
    pad.fill(0)
    inner = pad[:, above : above + rows, above : above + columns]
    np.sum(activity, axis=3, out=inner)
    down, found = (
        thread_local(f"sum.{name}", (n, rows, size), activity.dtype)
        for name, size in (("down", columns + side - 1), ("found", columns))
    )
    down.fill(0)
    for i in range(side):
        down += pad[:, i : i + rows]
    found.fill(0)
    for j in range(side):
        found += down[:, :, j : j + columns]
    found *= activity.dtype.type(scale)
    total[..., 0] = found


@interneurons.inhibit_place.cpu
def inhibit_place(presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u -= v m``, one inhibiting unit of a place after another."""
    m, part = presynaptic, thread_local("inhibition", potential.shape, potential.dtype)
    if potential.ndim == 5:
        n, rows, columns, units = m.shape
        windows = m.reshape(n, rows // 2, 2, columns // 2, 2, units).transpose(0, 2, 4, 1, 3, 5)
        m = windows.reshape(n, 4, rows // 2, columns // 2, units)
    for k in range(weight.shape[2]):
        np.multiply(m[..., k : k + 1], weight[0, 0, k], out=part)
        potential -= part
