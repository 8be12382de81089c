"""Untied layers on the GPU: patches and maps laid out place by place, one batched product by cuBLAS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.core.typing import Array
from neurosim.core.workspace import gpu_chunks
from neurosim.kernels import local
from neurosim.kernels.sources import register

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

register(Path(__file__).with_name("kernels.cu"))


@local.convolve_local.gpu
def convolve_local(gpu: Gpu, presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u = W * x`` with weights of its own at every place."""
    samples, rows, columns, channels = presynaptic.shape
    places, units, real, pooled = rows * columns, potential.shape[-1], weight.dtype, potential.ndim == 5
    matrices, numbers = weight.reshape(places, 9 * channels, units), gpu.numbers(rows)
    for part in gpu_chunks(samples, places * 9 * channels * weight.itemsize):
        few, out = presynaptic[part], potential[part]
        n = len(few)
        patches = gpu.workspace("columns", (places, n, 9 * channels), real)
        gpu.launch(real, "columns_local", patches.size, few, numbers, patches, False, 1, n, rows, columns, channels)
        product = gpu.workspace("product", (places, n, units), real)
        gpu.matmul(patches, matrices, product)
        gpu.launch(real, "lay_local", product.size, product, out, n, rows, columns, units, pooled)


@local.deliver_local.gpu
def deliver_local(gpu: Gpu, post: Array, weight: Array, error: Array) -> None:
    """``error = B^T post``, B of each place's own."""
    samples, rows, columns, channels = error.shape
    places, units, real, pooled = rows * columns, post.shape[-1], weight.dtype, post.ndim == 5
    matrices = weight.reshape(places, 9 * channels, units)
    for part in gpu_chunks(samples, places * 9 * channels * weight.itemsize):
        few = error[part]
        n = len(few)
        factor = gpu.workspace("product", (places, units, n), real)
        gpu.launch(real, "take_local", factor.size, post[part], factor, True, n, rows, columns, units, pooled)
        sent = gpu.workspace("columns", (places, 9 * channels, n), real)
        gpu.matmul(matrices, factor, sent)
        gpu.launch(real, "gather_local", few.size, sent, few, n, rows, columns, channels)


@local.hebbian_local.gpu
def hebbian_local(gpu: Gpu, pre: Array, post: Array, index: Array, change: Array) -> None:
    """``change = pre outer post`` at every place."""
    n, rows, columns, channels = pre.shape
    count, height, units, real, pooled = len(index), change.shape[1], post.shape[-1], change.dtype, post.ndim == 5
    factor = gpu.workspace("product", (count, height * columns, n, units), real)
    gpu.launch(real, "take_local", factor.size, post, factor, False, n, count * height, columns, units, pooled)
    for part in gpu_chunks(count, height * columns * n * 9 * channels * change.itemsize):
        few = factor[part].reshape(-1, n, units)
        patches = gpu.workspace("columns", (len(few), 9 * channels, n), real)
        gpu.launch(
            real, "columns_local", patches.size, pre, index[part], patches, True, height, n, rows, columns, channels
        )
        gpu.matmul(patches, few, change[part].reshape(len(few), 9 * channels, units))
