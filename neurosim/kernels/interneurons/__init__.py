"""Interneurons: one unit a place that sums what its field sees, and inhibits the units of its place by subtraction.

What may be added: what a small population of each place does to the others of that place. What channels do to one another
without units of their own is in `neurosim.kernels.units`.

Symbols: N samples, T rows and columns of a field, B = (T - 1) // 2 of them before its place; I units a place that inhibit, O
that are inhibited. Potentials of pooled layers lie window by window. What the synapses change by is the outer product of a
convolution with fields of 1 x 1, `neurosim.kernels.convolution.hebbian_convolution`.
"""

from __future__ import annotations

from neurosim.core.arguments import Sizes
from neurosim.core.kernel import Kernel, Kind


def _products(n: Sizes) -> int:
    """A multiplication and an addition for every sample, place and synapse."""
    return 2 * n["sample"] * n["row"] * n["column"] * n["in"] * n["out"]


sum_field = Kernel(
    "sum_field",
    kind=Kind.RESPOND,
    reads={"activity": "sample row column channel"},
    writes={"total": "sample row column 1"},
    scalars=("side", "scale"),
    over="sample",
    equation="total[n, r, c] = scale sum_i,j,k activity[n, r + i - B, c + j - B, k]",
)

inhibit_place = Kernel(
    "inhibit_place",
    kind=Kind.TRANSMIT,
    reads={"presynaptic": "sample row column in", "weight": "1 1 in out"},
    updates={"potential": "sample row column out | sample 4 row/2 column/2 out"},
    over="sample",
    equation="potential[n, r, c, o] -= sum_k weight[k, o] presynaptic[n, r, c, k]",
    flops=_products,
)
