"""The specification of how views are shown and deformed, one pixel at a time in float64."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from neurosim.core.typing import Array
from neurosim.kernels import views

Pixel = list[float]
View = dict[tuple[int, int], Pixel]


@views.present.reference
def present(image: Array, activity: Array, *, gain: float, offset: float) -> None:
    """Show an image: ``x0 = gain * image + offset``, uint8 images divided by 255.

    Args:
        image: ``(N, R, C, I)``, uint8 or real in 0..1.
        activity: ``(N, R, C, I)``, written.
        gain: multiplies every pixel.
        offset: is added to every pixel.
    """
    for index in np.ndindex(image.shape):
        value = float(image[index]) / 255 if image.dtype == np.uint8 else float(image[index])
        activity[index] = gain * value + offset


@views.deform.reference
def deform(image: Array, theta: Array, saturation: Array, hue: Array, flip: Array, out: Array, *, border: bool) -> None:
    """Deform every image by its own parameters: affine map, then colour, then flip.

    The pixel at place ``p = (x, y)``, both in -1 .. 1 from the centre of the first to that of the last pixel, is read
    at ``theta @ (x, y, 1)`` by bilinear interpolation (``affine_grid`` and ``grid_sample`` of PyTorch, corners
    aligned). In HSV, ``s <- min(saturation * s, 1)`` and ``h <- (h + hue) mod 1``. The flip reverses the columns. All
    arithmetic is in float64, in the order of the definition, and only the result is rounded to the type of ``out``.
    Source: Tang, Yang, Amit (2022), section "Deformations"; the HSV formulas are Smith (1978).

    Args:
        image: ``(sample, row, column, channel)``; uint8 (read as value / 255) or real (0 .. 1). With three channels
            they are red, green, blue; any other number has no hue and no saturation, and colour leaves it as it is.
        theta: ``(sample, 2, 3)``, in units of half the image; the first row gives x (columns), the second y (rows).
        saturation: ``(sample,)`` factor, 1 for no change.
        hue: ``(sample,)`` shift in turns, 0 for no change.
        flip: ``(sample,)`` bool.
        out: the shape of ``image``, written.
        border: outside of the image is its nearest border pixel, instead of 0.
    """
    samples, rows, columns, channels = image.shape
    scale = 255.0 if image.dtype == np.uint8 else 1.0
    for sample in range(samples):
        picture = image[sample].astype(np.float64) / scale
        for row in range(rows):
            for column in range(columns):
                x, y = _place(theta[sample], row, column, rows, columns)
                pixel = [_bilinear(picture[:, :, channel], x, y, border) for channel in range(channels)]
                if channels == 3:
                    pixel = _recolour(pixel, float(saturation[sample]), float(hue[sample]))
                out[sample, row, columns - 1 - column if flip[sample] else column] = pixel


@views.deform_simclr.reference
def deform_simclr(
    image: Array,
    theta: Array,
    brightness: Array,
    contrast: Array,
    saturation: Array,
    hue: Array,
    order: Array,
    grey: Array,
    flip: Array,
    out: Array,
) -> None:
    """The views of SimCLR: a resized crop, flipped or not, then four changes of colour in an order of its own, then grey.

    `_jitter` has the formulas. Source: Chen et al. 2020, appendix A, as torchvision computes.

    Args:
        image: as for `deform`; other than three channels have no hue, no saturation and no grey but their mean.
        theta: as for `deform`: scales and shifts that lead to places inside the image.
        brightness: ``(sample,)`` factor, 1 for no change.
        contrast: ``(sample,)`` factor, 1 for no change.
        saturation: ``(sample,)`` factor, 1 for no change.
        hue: ``(sample,)`` shift in turns, 0 for no change.
        order: whole numbers ``(sample, 4)``, which change comes first: 0 brightness, 1 contrast, 2 saturation, 3 hue.
        grey: ``(sample,)`` bool, whether colour is taken away at last.
        flip: ``(sample,)`` bool.
        out: the shape of ``image``, written.
    """
    factors = (brightness, contrast, saturation, hue)
    for n in range(len(image)):
        view = _crop(image[n], theta[n], bool(flip[n]))
        for change in order[n]:
            _jitter(view, int(change), float(factors[change][n]))
        for place, pixel in view.items():
            out[(n, *place)] = [_light(pixel)] * 3 if grey[n] and len(pixel) == 3 else pixel


def _crop(image: Array, theta: Array, flip: bool) -> View:
    """One view, mapped and flipped or not, row by row."""
    picture = image.astype(np.float64) / (255.0 if image.dtype == np.uint8 else 1.0)
    rows, columns, channels = image.shape
    view = {}
    for row, column in product(range(rows), range(columns)):
        x, y = _place(theta, row, columns - 1 - column if flip else column, rows, columns)
        view[row, column] = [_bilinear(picture[:, :, channel], x, y, False) for channel in range(channels)]
    return view


def _jitter(view: View, change: int, factor: float) -> None:
    """One of the four changes of colour; every one leaves colours in 0 .. 1.

    Brightness ``f``: ``x <- f x``. Contrast: ``x <- f x + (1 - f) m``, m the mean grey of the whole view. Saturation:
    ``x <- f x + (1 - f) g``, g the pixel's grey. Hue: ``h <- (h + f) mod 1`` in HSV, f in turns.
    """
    mean = sum(map(_light, view.values())) / len(view)
    for place, pixel in view.items():
        if change == 0:
            view[place] = _mix(pixel, 0.0, factor)
        elif change == 1:
            view[place] = _mix(pixel, mean, factor)
        elif change == 2 and len(pixel) == 3:
            view[place] = _mix(pixel, _light(pixel), factor)
        elif change == 3 and len(pixel) == 3:
            view[place] = [min(max(c, 0.0), 1.0) for c in _recolour(pixel, 1.0, factor)]


def _light(pixel: Pixel) -> float:
    """The grey of a pixel: ``0.2989 red + 0.587 green + 0.114 blue``."""
    if len(pixel) != 3:
        return sum(pixel) / len(pixel)
    return 0.2989 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]


def _mix(pixel: Pixel, other: float, factor: float) -> Pixel:
    return [min(max(factor * colour + (1 - factor) * other, 0.0), 1.0) for colour in pixel]


def _place(theta: Array, row: int, column: int, rows: int, columns: int) -> tuple[float, float]:
    """Where in the image (in pixels, x then y) the pixel of the result is read."""
    x = 2.0 * column / (columns - 1) - 1.0 if columns > 1 else 0.0
    y = 2.0 * row / (rows - 1) - 1.0 if rows > 1 else 0.0
    u, v = (float(a) * x + float(b) * y + float(c) for a, b, c in theta)
    return (u + 1.0) / 2.0 * (columns - 1), (v + 1.0) / 2.0 * (rows - 1)


def _bilinear(plane: Array, x: float, y: float, border: bool) -> float:
    """The plane's value at a place between pixels; outside there is 0, or the nearest pixel with ``border``."""
    rows, columns = plane.shape
    if border:
        x = min(max(x, 0.0), columns - 1.0)
        y = min(max(y, 0.0), rows - 1.0)
    left, top = math.floor(x), math.floor(y)
    total = 0.0
    for row, by_row in ((top, top + 1 - y), (top + 1, y - top)):
        for column, by_column in ((left, left + 1 - x), (left + 1, x - left)):
            if 0 <= row < rows and 0 <= column < columns:
                total += by_row * by_column * float(plane[row, column])
    return total


def _recolour(pixel: Pixel, saturation: float, hue: float) -> Pixel:
    """Red, green, blue to hue, saturation, value, the two changes, and back (Smith 1978)."""
    h, s, v = _to_hsv(*pixel)
    return _to_rgb((h + hue) % 1.0, min(max(s * saturation, 0.0), 1.0), v)


def _to_hsv(red: float, green: float, blue: float) -> tuple[float, float, float]:
    value, chroma = max(red, green, blue), max(red, green, blue) - min(red, green, blue)
    if chroma == 0.0:
        return 0.0, 0.0, value
    if value == red:
        sixths = (green - blue) / chroma
    elif value == green:
        sixths = 2.0 + (blue - red) / chroma
    else:
        sixths = 4.0 + (red - green) / chroma
    return sixths / 6.0 % 1.0, chroma / value, value


def _to_rgb(hue: float, saturation: float, value: float) -> Pixel:
    sixth = math.floor(hue * 6.0)
    part = hue * 6.0 - sixth
    low = value * (1.0 - saturation)
    falling = value * (1.0 - saturation * part)
    rising = value * (1.0 - saturation * (1.0 - part))
    return (
        [value, rising, low],
        [falling, value, low],
        [low, value, rising],
        [low, falling, value],
        [rising, low, value],
        [value, low, falling],
    )[sixth % 6]
