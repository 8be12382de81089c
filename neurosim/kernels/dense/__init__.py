"""Kernels of dense projections, from all units of a view to all units of a view, and of biases.

What may be added: products of one flat vector a view with a matrix of weights, and what a synapse from the constant unit
does. Products of maps with shared weights are in `neurosim.kernels.convolution`.

Symbols: N samples, K presynaptic units, D postsynaptic units, O channels.
"""

from __future__ import annotations

from neurosim.core.arguments import Sizes
from neurosim.core.kernel import Kernel, Kind

WEIGHT = "presynaptic postsynaptic"


def _products(n: Sizes) -> int:
    """A multiplication and an addition for every sample and synapse."""
    return 2 * n["sample"] * n["presynaptic"] * n["postsynaptic"]


dense = Kernel(
    "dense",
    kind=Kind.TRANSMIT,
    reads={"presynaptic": "sample presynaptic", "weight": WEIGHT},
    writes={"potential": "sample postsynaptic"},
    over="sample",
    equation="potential[n, d] = sum_k presynaptic[n, k] weight[k, d]",
    flops=_products,
)

deliver_dense = Kernel(
    "deliver_dense",
    kind=Kind.DELIVER,
    reads={"post": "sample postsynaptic", "weight": WEIGHT},
    writes={"error": "sample presynaptic"},
    over=("sample", "presynaptic"),
    equation="error[n, k] = sum_d weight[k, d] post[n, d]",
    flops=_products,
)

hebbian_dense = Kernel(
    "hebbian_dense",
    kind=Kind.HEBBIAN,
    reads={"pre": "sample presynaptic", "post": "sample postsynaptic"},
    writes={"change": WEIGHT},
    over="presynaptic",
    equation="change[k, d] = sum_n pre[n, k] post[n, d]",
    flops=_products,
)

add_bias = Kernel(
    "add_bias",
    kind=Kind.TRANSMIT,
    reads={"presynaptic": "1", "weight": "1 out"},
    updates={"potential": "sample ... out"},
    over="sample",
    equation="potential[n, ..., o] += presynaptic[0] weight[0, o]",
)

hebbian_bias = Kernel(
    "hebbian_bias",
    kind=Kind.HEBBIAN,
    reads={"pre": "1", "post": "sample ... out"},
    sums={"change": "1 out"},
    over="sample",
    equation="change[0, o] += sum_n,places pre[0] post[n, ..., o]",
    flops=lambda n: 2 * n["sample"] * n["..."] * n["out"],
)
