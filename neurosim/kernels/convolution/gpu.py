"""Convolutions of the GPU: patches laid out by a launch, products by cuBLAS, sums gathered without atomics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.core.typing import Array
from neurosim.core.workspace import gpu_chunks
from neurosim.kernels import convolution
from neurosim.kernels.sources import register

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

register(Path(__file__).with_name("kernels.cu"))


def _patches(gpu: Gpu, plain: Array, pooled: bool, side: int) -> Iterator[tuple[slice, Array]]:
    """Yield (slice of samples, columns ``(patch, tap and channel)``)."""
    _, rows, columns, channels = plain.shape
    for part in gpu_chunks(len(plain), rows * columns * side**2 * channels * plain.itemsize):
        few = plain[part]
        patches = gpu.workspace("columns", (len(few) * rows * columns, side**2 * channels), plain.dtype)
        gpu.launch(plain.dtype, "columns", patches.size, few, patches, rows, columns, channels, pooled, side)
        yield part, patches


@convolution.convolve.gpu
def convolve(gpu: Gpu, presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u = W * x``."""
    matrix = weight.reshape(-1, weight.shape[3])
    for part, columns in _patches(gpu, presynaptic, potential.ndim == 5, len(weight)):
        gpu.matmul(columns, matrix, potential[part].reshape(len(columns), -1))


@convolution.hebbian_convolution.gpu
def hebbian_convolution(gpu: Gpu, pre: Array, post: Array, change: Array) -> None:
    """``change += sum of pre outer post``."""
    product = gpu.workspace("product", (change.size // change.shape[3], change.shape[3]), change.dtype)
    for part, columns in _patches(gpu, pre, post.ndim == 5, len(change)):
        gpu.matmul(columns.T, post[part].reshape(len(columns), -1), product)
        gpu.launch(change.dtype, "add", change.size, product, change)


@convolution.deliver_convolution.gpu
def deliver_convolution(gpu: Gpu, post: Array, weight: Array, error: Array) -> None:
    """``error = B^T post``; every place sends to all of its field."""
    (_, rows, columns, channels), side = error.shape, len(weight)
    matrix = weight.reshape(-1, weight.shape[3]).T
    for part in gpu_chunks(len(error), rows * columns * side**2 * channels * error.itemsize):
        factor = post[part].reshape(-1, weight.shape[3])
        sent = gpu.workspace("columns", (len(factor), side**2 * channels), error.dtype)
        gpu.matmul(factor, matrix, sent)
        few = error[part]
        shape = rows, columns, channels
        gpu.launch(error.dtype, "gather_columns", few.size, sent, few, *shape, post.ndim == 5, side)
