"""Dense products on a GPU by cuBLAS, and biases by launches of kernels.cu; reference.py says what each computes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.kernels import dense as kernels
from neurosim.kernels.sources import register

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

register(Path(__file__).with_name("kernels.cu"))


@kernels.dense.gpu
def dense(gpu: Gpu, presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u = x W``."""
    gpu.matmul(presynaptic, weight, potential)


@kernels.deliver_dense.gpu
def deliver_dense(gpu: Gpu, post: Array, weight: Array, error: Array) -> None:
    """``error = post B^T``."""
    gpu.matmul(post, weight.T, error)


@kernels.hebbian_dense.gpu
def hebbian_dense(gpu: Gpu, pre: Array, post: Array, change: Array) -> None:
    """``change = pre^T post`` over all samples."""
    gpu.matmul(pre.T, post, change)


@kernels.add_bias.gpu
def add_bias(gpu: Gpu, presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u += 1 b``."""
    gpu.launch(potential.dtype, "add_bias", potential.size, presynaptic, weight, potential, weight.shape[1])


@kernels.hebbian_bias.gpu
def hebbian_bias(gpu: Gpu, pre: Array, post: Array, change: Array) -> None:
    """``change += sum of 1 x post``."""
    channels = post.shape[-1]
    rows = post.size // channels
    parts = max(1, min(rows, tuning.GPU.partial_sums))
    partial = gpu.workspace("partial", (parts, channels), "float64")
    gpu.launch(post.dtype, "sum_rows", partial.size, post, partial, rows, parts, channels)
    gpu.launch(post.dtype, "add_sums", channels, partial, pre, change, parts)
