"""Convolutions with a quarter of the multiplications: Winograd's F(4 x 4, 3 x 3) by matrix products.

A tile of 4 x 4 results needs a patch of 6 x 6 places. With three fixed matrices, each applied to rows and to columns,

    result = A^T [ (G w G^T) . (B^T patch B) ] A,

36 products replace 144. What is between the transforms (`neurosim.kernels.convolution.transforms`) lies as
``(row, column, tile, channel)`` with 6 rows and columns, so that the middle is 36 products over channels. Outer
products and feedback are the same three maps run in the other direction. Source: Winograd 1980; Lavin and Gray 2016.
"""

from __future__ import annotations

import numpy as np

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.core.workspace import cached, chunks
from neurosim.kernels.convolution.transforms import (
    TILE,
    Shape,
    add_patches,
    error_transform,
    filter_transform,
    input_transform,
    lay_out_change,
    lay_out_delivery,
    lay_out_output,
    multiply,
    samples_of_sets,
    tiled,
)


def fits(shape: Shape, weight: Array) -> bool:
    """Whether a convolution can be computed in tiles, and gains from it.

    Args:
        shape: of the maps that are read, ``(sample, row, column, channel)``.
        weight: ``(T, T, in, out)``; tiles are for fields of 3 x 3.
    """
    thinnest: int = min(weight.shape[2:])
    return len(weight) == 3 and shape[1] % TILE == 0 and shape[2] % TILE == 0 and thinnest >= tuning.CPU.tile_channels


def convolve(presynaptic: Array, weight: Array, potential: Array) -> None:
    """``u = W * x``."""
    # Forward, half as many calls are worth more than the cache: 49 instead of 55 us a view of 16x16x32 to 64 channels
    # on two threads (Xeon), 77 instead of 73 on one. Outer products and feedback gain nothing.
    sets = samples_of_sets(presynaptic, weight.shape[3], 2)
    transformed = filter_transform(weight, len(sets))
    for part in sets:
        inputs, target = input_transform(presynaptic[part]), tiled(potential[part])
        for few in chunks(weight.shape[3], tuning.CPU.tile_results):
            place = target[..., few]
            product, products, result = cached(lay_out_output, place.shape, weight.dtype)
            np.matmul(inputs, transformed(few), out=product)
            multiply(products)
            np.copyto(place, result)


def hebbian(pre: Array, post: Array, change: Array) -> None:
    """``change += sum of pre outer post``."""
    for part in samples_of_sets(pre, post.shape[-1]):
        inputs, factors = input_transform(pre[part]).swapaxes(2, 3), tiled(post[part])
        for few in chunks(post.shape[-1], tuning.CPU.tile_results):
            place = change[..., few]
            product, products, summed = cached(lay_out_change, *place.shape[2:], change.dtype)
            np.matmul(inputs, error_transform(factors[..., few]), out=product)
            multiply(products)
            place += summed


def deliver(post: Array, weight: Array, error: Array) -> None:
    """``error = B^T post``."""
    sets = samples_of_sets(error, weight.shape[3])
    transformed = filter_transform(weight, len(sets), transposed=True)
    for part in sets:
        total, more, layout = cached(lay_out_delivery, error[part].shape, error.dtype)
        factors = tiled(post[part])
        for few in chunks(weight.shape[3], tuning.CPU.tile_results):
            product = more if few.start else total
            np.matmul(error_transform(factors[..., few]), transformed(few), out=product)
            if few.start:
                total += product
        add_patches(error[part], *layout)
