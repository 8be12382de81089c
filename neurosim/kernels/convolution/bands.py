"""Convolutions from few channels to few, with large fields: a row of the map is one product with a banded matrix.

Columns of so few channels make products of three columns, which take as long as products of thirty. Here a row of results
is one vector, all columns and channels, and the rows of the map that it reads are another, contiguous in memory:

    result[row] = map[row .. row + T - 1] B,   B[i, c + j, k, c, o] = weight[i, j, k, o],

more multiplications (most of B is 0), in products that a core is fast at.
"""

from __future__ import annotations

import numpy as np

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.core.workspace import chunks, thread_local
from neurosim.kernels.places import before, padded


def fits(weight: Array, potential: Array) -> bool:
    """Whether a convolution gains from it: few channels at both ends, large fields, no pool above.

    Args:
        weight: ``(T, T, in, out)``.
        potential: ``(N, R, C, out)``, or five axes for a pool.
    """
    most: int = max(weight.shape[2:])
    return potential.ndim == 4 and most <= tuning.CPU.few_channels and len(weight) > 3


def convolve(presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u = W * x``; arguments as of the kernel."""
    (_, rows, columns, _), side = presynaptic.shape, len(weight)
    band = _band(weight, columns)
    for part in chunks(len(presynaptic), max(1, tuning.CPU.column_bytes // (rows * len(band) * weight.itemsize))):
        pad = padded(presynaptic[part], "pad", before(side), side - 1 - before(side))
        s, r, _, e = pad.strides
        read = np.ndarray((len(pad), rows, len(band)), pad.dtype, pad, 0, (s, r, e))
        block = thread_local("columns", read.shape, pad.dtype)
        np.copyto(block, read)
        matrix = block.reshape(-1, len(band))
        np.matmul(matrix, band, out=potential[part].reshape(len(matrix), -1))


def _band(weight: Array, columns: int) -> Array:
    """``(T x padded columns x in, columns x out)``."""
    side, _, channels, units = weight.shape
    band = thread_local("band", (side, columns + side - 1, channels, columns, units), weight.dtype)
    band.fill(0)
    for c in range(columns):
        band[:, c : c + side, :, c] = weight
    return band.reshape(-1, columns * units)
