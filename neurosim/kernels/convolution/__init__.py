"""Convolutions: square fields, as many places as the map has, with weights that all places share.

This folder is for what carries activity up, and error down, through one shared array of weights between maps of the
same places, and for the outer products that change that array. Another way to compute one of these kernels may be added
(a file beside ``tiles.py``, chosen in ``cpu.py`` by sizes alone), or another convolution of maps onto maps of the same
places. Weights of every place's own belong to `neurosim.kernels.local`, maps that grow to `neurosim.kernels.inverse`.

Symbols: N samples, R rows and C columns of the map that is read, I channels in, O channels out; T rows and columns of a
field, 3 unless a layer says otherwise, of which B = (T - 1) // 2 lie before its place. Outside the map all is 0. What is
computed for a pooled layer is ``(N, 4, R/2, C/2, O)``: the second axis is the place inside the 2 x 2 window, row by row, so that
pooling compares four contiguous planes.
"""

from __future__ import annotations

from neurosim.core.arguments import Sizes
from neurosim.core.kernel import Kernel, Kind

_MAP, _WEIGHT = "sample row column in", "tap tap in out"
_ABOVE = "sample row column out | sample 4 row/2 column/2 out"  # a pooled layer's places lie window by window


def _flops(n: Sizes) -> int:
    """Two operations a weight, place and sample; taps that fall outside are counted."""
    return 2 * n["sample"] * n["row"] * n["column"] * n["tap"] ** 2 * n["in"] * n["out"]


convolve = Kernel(
    "convolve",
    kind=Kind.TRANSMIT,
    reads={"presynaptic": _MAP, "weight": _WEIGHT},
    writes={"potential": _ABOVE},
    over="sample",
    equation="potential[n, r, c, o] = sum_i,j,k weight[i, j, k, o] presynaptic[n, r + i - B, c + j - B, k]",
    flops=_flops,
)

deliver_convolution = Kernel(
    "deliver_convolution",
    kind=Kind.DELIVER,
    reads={"post": _ABOVE, "weight": _WEIGHT},
    writes={"error": _MAP},
    over="sample",
    equation="error[n, r, c, k] = sum_i,j,o weight[i, j, k, o] post[n, r - i + B, c - j + B, o]",
    flops=_flops,
)

hebbian_convolution = Kernel(
    "hebbian_convolution",
    kind=Kind.HEBBIAN,
    reads={"pre": _MAP, "post": _ABOVE},
    sums={"change": _WEIGHT},
    over="sample",
    equation="change[i, j, k, o] += sum_n,r,c pre[n, r + i - B, c + j - B, k] post[n, r, c, o]",
    flops=_flops,
)
