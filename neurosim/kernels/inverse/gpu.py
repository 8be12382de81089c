"""Inverse paths of the GPU: one product by cuBLAS for the nine taps, sums gathered without atomics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.core.typing import Array
from neurosim.core.workspace import gpu_chunks
from neurosim.kernels import inverse
from neurosim.kernels.sources import register

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

register(Path(__file__).with_name("kernels.cu"))


@inverse.upconvolve.gpu
def upconvolve(gpu: Gpu, presynaptic: Array, weight: Array, potential: Array) -> None:
    """One product for the nine taps, then sums."""
    _, rows, columns, channels = presynaptic.shape
    units = weight.shape[3]
    turned = gpu.workspace("turned", (channels, 9 * units), weight.dtype)
    gpu.launch(weight.dtype, "swap", weight.size, weight, turned, 9, channels, units)
    for part in gpu_chunks(len(presynaptic), rows * columns * 9 * units * potential.itemsize):
        few, above = presynaptic[part].reshape(-1, channels), potential[part]
        sent = gpu.workspace("columns", (len(few), 9 * units), potential.dtype)
        gpu.matmul(few, turned, sent)
        gpu.launch(potential.dtype, "gather_up", above.size, sent, above, rows, columns, units)


@inverse.hebbian_upconvolution.gpu
def hebbian_upconvolution(gpu: Gpu, pre: Array, post: Array, change: Array) -> None:
    """The factor's nine shifts, one product."""
    _, rows, columns, channels = pre.shape
    units = post.shape[3]
    product = gpu.workspace("product", (channels, 9 * units), change.dtype)
    for part in gpu_chunks(len(pre), rows * columns * 9 * units * post.itemsize):
        few = pre[part].reshape(-1, channels)
        shifts = gpu.workspace("columns", (len(few), 9 * units), post.dtype)
        gpu.launch(post.dtype, "columns_up", shifts.size, post[part], shifts, rows, columns, units)
        gpu.matmul(few.T, shifts, product)
        gpu.launch(change.dtype, "add_swapped", change.size, product, change, channels, 9, units)
