"""Untied layers: 3 x 3 windows, padding 1, where every place of the picture has weights of its own.

This folder is for what carries activity up, and error down, through such weights, and for the outer products that
change them. Other layers whose places share no weight (other windows, sparse connections) may be added. Weights that
all places share belong to `neurosim.kernels.convolution`.

Symbols as there. The weights are ``(R, C, 3, 3, I, O)``: R and C are the rows and columns of the picture that is read,
before any pool. Source: Amit 2019, section 2.3: no copy of a weight, so nothing to share.
"""

from __future__ import annotations

from neurosim.core.arguments import Sizes
from neurosim.core.kernel import Kernel, Kind

_MAP, _WEIGHT = "sample row column in", "row column 3 3 in out"
_ABOVE = "sample row column out | sample 4 row/2 column/2 out"  # a pooled layer's places lie window by window


def _flops(n: Sizes) -> int:
    """Two operations a weight and sample; taps that fall outside are counted."""
    return 2 * n["sample"] * n["row"] * n["column"] * 9 * n["in"] * n["out"]


def _hebbian_flops(n: Sizes) -> int:
    """The same, ``row`` counting rows of the factor."""
    return n["height"] * _flops(n)


convolve_local = Kernel(
    "convolve_local",
    kind=Kind.TRANSMIT,
    reads={"presynaptic": _MAP, "weight": _WEIGHT},
    writes={"potential": _ABOVE},
    over="sample",
    equation="potential[n, r, c, o] = sum_i,j,k weight[r, c, i, j, k, o] presynaptic[n, r + i - 1, c + j - 1, k]",
    flops=_flops,
)

deliver_local = Kernel(
    "deliver_local",
    kind=Kind.DELIVER,
    reads={"post": _ABOVE, "weight": _WEIGHT},
    writes={"error": _MAP},
    over="sample",
    equation="error[n, r + i - 1, c + j - 1, k] = sum_i,j,o weight[r, c, i, j, k, o] post[n, r, c, o]",
    flops=_flops,
)

# Cut into rows of places, not into samples: then no lane holds an array of changes of its own. Here ``row`` counts rows
# of the factor, some or all of them; height rows of the picture make one of those, 2 where the layer is pooled.
hebbian_local = Kernel(
    "hebbian_local",
    kind=Kind.HEBBIAN,
    reads={
        "pre": "sample picture_row column in",
        "post": "sample row column out height=1 | sample 4 row column/2 out height=2",
        "index": "row: index",
    },
    writes={"change": "row height column 3 3 in out"},
    over="row",
    equation="change[r, h, c, i, j, k, o] = sum_n pre[n, p + i - 1, c + j - 1, k] post[n, height r + h, c, o], "
    "p = height index[r] + h",
    flops=_hebbian_flops,
)
