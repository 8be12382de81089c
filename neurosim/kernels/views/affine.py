"""The affine map of views on the CPU: bilinear interpolation between pixels, on blocks of samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local


def mapped(image: Array, theta: Array, flip: Array, dtype: DTypeLike, border: bool) -> tuple[Array, Array]:
    """The affine map and the flip of a few samples.

    Args:
        image: ``(sample, row, column, channel)``.
        theta: ``(sample, 2, 3)``.
        flip: ``(sample,)`` bool.
        dtype: of the arithmetic and of the result.
        border: outside of the image is its nearest border pixel, instead of 0.

    Returns:
        planes ``(channel, sample, row, column)`` of the mapped image, and five spare ones; all of them this thread's
        scratch, valid until the next call.
    """
    planes = thread_local("deform.planes", (7 + image.shape[3], *image.shape[:3]), dtype)
    index = thread_local("deform.index", image.shape[:3], np.intp)
    places, spare, colours = planes[:2], planes[2:7], planes[7:]
    _place(theta, flip, places, border)
    corners = _corners(places, index, spare)
    _sample(_pad(image, dtype), index, corners, spare[4], colours)
    return colours, planes[:5]


def _axis(count: int) -> Array:
    """Places of the pixels of one axis, -1 .. 1, exactly symmetric; a single pixel is at 0."""
    return (2.0 * np.arange(count) - (count - 1)) / max(count - 1, 1)


def _place(theta: Array, flip: Array, places: Array, border: bool) -> None:
    """Writes where every pixel is read, in pixels of the padded image, x into ``places[0]`` and y into ``places[1]``.

    Reversing the columns of the result is reading at -x, so the flip is a sign in theta. What lies outside goes to the
    padding, whose pixels are 0; with a border it goes to the last pixel.
    """
    _, _, rows, columns = places.shape
    # Sums of one number a row and one a column: worked out in float64, rounded once.
    across = np.where(flip[:, None], -_axis(columns), _axis(columns))
    for place, line, count in zip(places, (0, 1), (columns, rows), strict=True):
        half = (count - 1) / 2
        by_column = theta[:, line, 0, None] * across * half
        by_row = (theta[:, line, 1, None] * _axis(rows) + theta[:, line, 2, None]) * half + (half + 1)
        np.add(by_row[:, :, None].astype(place.dtype), by_column[:, None, :].astype(place.dtype), out=place)
        np.clip(place, 1 if border else 0, count if border else count + 1, out=place)


def _corners(places: Array, index: Array, spare: Array) -> tuple[Array, Array, Array, Array]:
    """Turns places into the index of the upper left of four pixels (into ``index``) and the weights of the four.

    Returns the weights of upper left, upper right, lower left, lower right; each is a product of two numbers in
    0 .. 1, so that no rounding makes a colour negative.
    """
    x, y = places
    left, top, right, bottom = spare[:4]
    samples, rows, columns = x.shape
    np.floor(x, out=left)
    np.floor(y, out=top)
    whole = thread_local("deform.whole", (2, *x.shape), np.int32)
    np.copyto(whole, spare[:2], casting="unsafe")
    whole[1] *= columns + 2
    np.add(whole[0], whole[1], out=whole[0])
    first = np.arange(samples, dtype=np.int32) * np.int32((rows + 2) * (columns + 2))
    np.add(whole[0], first[:, None, None], out=whole[0])
    np.copyto(index, whole[0])

    np.subtract(x, left, out=x)
    np.subtract(y, top, out=y)
    np.subtract(1, x, out=right)
    np.subtract(1, y, out=bottom)
    upper_left = np.multiply(right, bottom, out=left)
    upper_right = np.multiply(x, bottom, out=top)
    lower_left = np.multiply(right, y, out=right)
    lower_right = np.multiply(x, y, out=bottom)
    return upper_left, upper_right, lower_left, lower_right


def _pad(image: Array, dtype: DTypeLike) -> Array:
    """Copies the image into planes ``(channel, sample, row, column)`` with one pixel of 0 all round."""
    samples, rows, columns, channels = image.shape
    padded = thread_local("deform.padded", (channels, samples, rows + 2, columns + 2), dtype)
    padded.fill(0)
    np.copyto(padded[:, :, 1:-1, 1:-1], np.moveaxis(image, 3, 0))
    if image.dtype == np.uint8:
        np.divide(padded, 255, out=padded)
    return padded


def _sample(padded: Array, index: Array, weights: Sequence[Array], spare: Array, colours: Array) -> None:
    """Adds up four weighted pixels a place, plane by plane.

    One index serves the four pixels: the planes are read from 0, 1, one row, and one row and 1 on. From the last
    column that leads to the next row, and from the last row to the next sample: 0 there too, and the weight is 0.
    """
    pitch = padded.shape[3]
    for plane, colour in zip(padded, colours, strict=True):
        flat = plane.reshape(-1)
        flat.take(index, out=colour, mode="clip")
        np.multiply(colour, weights[0], out=colour)
        for on, weight in zip((1, pitch, pitch + 1), weights[1:], strict=True):
            flat[on:].take(index, out=spare, mode="clip")
            np.multiply(spare, weight, out=spare)
            np.add(colour, spare, out=colour)
