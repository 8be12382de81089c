"""Inverse paths: a transposed 3 x 3 convolution of stride 2, from a pooled layer's map to the map below it.

This folder is for what restores the activity below from the activity above where maps grow, and for the outer products
that change those weights. Other ways to enlarge a map may be added. Where maps keep their size an inverse is a
convolution (`neurosim.kernels.convolution`).

Symbols: N samples, R rows and C columns of the small map above, I channels in, O channels out. Padding 1, output
padding 1; what falls outside is lost. Source: Tang, Yang, Amit 2022.
"""

from __future__ import annotations

from neurosim.core.arguments import Sizes
from neurosim.core.kernel import Kernel, Kind

_SMALL, _WEIGHT, _LARGE = "sample row column in", "3 3 in out", "sample 2*row 2*column out"


def _flops(n: Sizes) -> int:
    """Two operations a weight, place of the small map and sample; taps that fall outside are counted."""
    return 2 * n["sample"] * n["row"] * n["column"] * 9 * n["in"] * n["out"]


upconvolve = Kernel(
    "upconvolve",
    kind=Kind.TRANSMIT,
    reads={"presynaptic": _SMALL, "weight": _WEIGHT},
    writes={"potential": _LARGE},
    over="sample",
    equation="potential[n, 2r + i - 1, 2c + j - 1, o] = sum_i,j,k weight[i, j, k, o] presynaptic[n, r, c, k]",
    flops=_flops,
)

hebbian_upconvolution = Kernel(
    "hebbian_upconvolution",
    kind=Kind.HEBBIAN,
    reads={"pre": _SMALL, "post": _LARGE},
    sums={"change": _WEIGHT},
    over="sample",
    equation="change[i, j, k, o] += sum_n,r,c pre[n, r, c, k] post[n, 2r + i - 1, 2c + j - 1, o]",
    flops=_flops,
)
