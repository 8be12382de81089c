"""Dense products and biases on the CPU; reference.py says what each computes."""

from __future__ import annotations

import numpy as np

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels import dense as kernels


@kernels.dense.cpu
def dense(presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u = x W``."""
    np.matmul(presynaptic, weight, out=potential)


@kernels.deliver_dense.cpu
def deliver_dense(post: Array, weight: Array, error: Array) -> None:
    """``error = post B^T``; of few samples as the transpose of ``B post^T``, which packs no weights."""
    if len(post) > tuning.CPU.few_samples:
        np.matmul(post, weight.T, out=error)
        return
    turned = thread_local("turned", (len(weight), len(post)), error.dtype)
    np.matmul(weight, post.T, out=turned)
    np.copyto(error, turned.T)


@kernels.hebbian_dense.cpu
def hebbian_dense(pre: Array, post: Array, change: Array) -> None:
    """``change = pre^T post`` over all samples."""
    size = tuning.CPU.gathered_units
    for start in range(0, len(change), size):
        part = pre[:, start : start + size]
        gathered = thread_local("gathered", part.shape, pre.dtype)  # a product of rows far apart takes a fifth longer
        np.copyto(gathered, part)
        np.matmul(gathered.T, post, out=change[start : start + size])


def _lines(maps: Array) -> Array:
    """Maps as lines of all channels of a row of places, units as they are: NumPy adds long lines several times as fast."""
    return maps.reshape(-1, maps.shape[-2] * maps.shape[-1]) if maps.ndim > 2 else maps


@kernels.add_bias.cpu
def add_bias(presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u += 1 b``."""
    lines = _lines(potential)
    lines += np.tile(presynaptic[0] * weight[0], lines.shape[1] // weight.shape[1])


@kernels.hebbian_bias.cpu
def hebbian_bias(pre: Array, post: Array, change: Array) -> None:
    """``change += sum of 1 x post``."""
    lines = _lines(post)
    summed = np.matmul(np.ones(len(lines), post.dtype), lines)  # twice as fast as a sum over the first axis
    change[0] += pre[0] * summed.reshape(-1, post.shape[-1]).sum(axis=0)
