"""Interneurons: one unit a place that sums what its field sees, and inhibits the units of its place by subtraction.

What may be added: what a small population of each place does to the others of that place. What channels do to one another
without units of their own is in `neurosim.kernels.units`.

Symbols: N samples, T rows and columns of a field, B = (T - 1) // 2 of them before its place; K units a place that inhibit, D
that are inhibited. Places of pooled layers lie window by window, as their potentials do.
"""

from __future__ import annotations

from neurosim.core.arguments import Sizes
from neurosim.core.kernel import Kernel, Kind

_PRE, _POST, _WEIGHT = "sample ... presynaptic", "sample ... postsynaptic", "presynaptic postsynaptic"


def _products(n: Sizes) -> int:
    """A multiplication and an addition for every sample, place and synapse."""
    return 2 * n["sample"] * n["..."] * n["presynaptic"] * n["postsynaptic"]


sum_field = Kernel(
    "sum_field",
    kind=Kind.RESPOND,
    reads={"activity": "sample row column channel"},
    writes={"total": "sample row column 1 | sample 4 row/2 column/2 1"},
    scalars=("side", "scale"),
    over="sample",
    equation="total[n, r, c] = scale sum_i,j,k activity[n, r + i - B, c + j - B, k]",
)

inhibit_place = Kernel(
    "inhibit_place",
    kind=Kind.TRANSMIT,
    reads={"presynaptic": _PRE, "weight": _WEIGHT},
    updates={"potential": _POST},
    over="sample",
    equation="potential[..., d] -= sum_k weight[k, d] presynaptic[..., k]",
    flops=_products,
)

hebbian_place = Kernel(
    "hebbian_place",
    kind=Kind.HEBBIAN,
    reads={"pre": _PRE, "post": _POST},
    sums={"change": _WEIGHT},
    over="sample",
    equation="change[k, d] += sum_n,... pre[n, ..., k] post[n, ..., d]",
    flops=_products,
)
