"""The deformations, one pixel at a time in float64: the truth the other forms are held against."""

import math

import numpy as np


def deform(image, theta, saturation, hue, flip, out, *, border: bool) -> None:
    """Deforms every image by its own parameters: affine map, then colour, then flip.

    The arguments are those of :func:`neurosim.kernels.deformation.deform`; all arithmetic is in float64, in the order
    of the definition, and only the result is rounded to the type of ``out``.
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


def deform_simclr(image, theta, brightness, contrast, saturation, hue, order, grey, flip, out) -> None:
    """The views of SimCLR: a resized crop, flipped or not, then four changes of colour in an order of its own, then grey.

    Every change leaves colours in 0 .. 1. Brightness ``f``: ``x <- f x``. Contrast: ``x <- f x + (1 - f) m``, m the mean
    grey of the whole view. Saturation: ``x <- f x + (1 - f) g``, g the pixel's grey. Hue: ``h <- (h + shift) mod 1`` in
    HSV. Grey is ``0.2989 red + 0.587 green + 0.114 blue``. Source: Chen et al. 2020, appendix A, as torchvision computes.

    Args:
        image: ``(sample, row, column, channel)``, as for `deform`; other than three channels have no hue, no saturation
            and no grey but their mean.
        theta: ``(sample, 2, 3)``, as for `deform`: scales and shifts that lead to places inside the image.
        brightness, contrast, saturation: ``(sample,)`` factors, 1 for no change.
        hue: ``(sample,)`` shift in turns, 0 for no change.
        order: whole numbers ``(sample, 4)``, which change comes first: 0 brightness, 1 contrast, 2 saturation, 3 hue.
        grey: ``(sample,)`` bool, whether colour is taken away at last.
        flip: ``(sample,)`` bool.
        out: float, the shape of ``image``, written.
    """
    samples, rows, columns, channels = image.shape
    scale = 255.0 if image.dtype == np.uint8 else 1.0
    places = [(row, column) for row in range(rows) for column in range(columns)]
    for n in range(samples):
        picture, view = image[n].astype(np.float64) / scale, {}
        for row, column in places:
            x, y = _place(theta[n], row, column, rows, columns)
            pixel = [_bilinear(picture[:, :, channel], x, y, False) for channel in range(channels)]
            view[row, columns - 1 - column if flip[n] else column] = pixel
        for change in order[n]:
            mean = sum(_light(view[place]) for place in places) / len(places)
            for place in places:
                pixel = view[place]
                if change == 0:
                    view[place] = _mix(pixel, 0.0, float(brightness[n]))
                elif change == 1:
                    view[place] = _mix(pixel, mean, float(contrast[n]))
                elif change == 2 and channels == 3:
                    view[place] = _mix(pixel, _light(pixel), float(saturation[n]))
                elif change == 3 and channels == 3:
                    view[place] = [min(max(c, 0.0), 1.0) for c in _recolour(pixel, 1.0, float(hue[n]))]
        for place in places:
            out[(n, *place)] = [_light(view[place])] * 3 if grey[n] and channels == 3 else view[place]


def _light(pixel):
    """The grey of a pixel."""
    if len(pixel) != 3:
        return sum(pixel) / len(pixel)
    return 0.2989 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]


def _mix(pixel, other, factor):
    return [min(max(factor * colour + (1 - factor) * other, 0.0), 1.0) for colour in pixel]


def _place(theta, row, column, rows, columns):
    """Where in the image (in pixels, x then y) the pixel of the result is read."""
    x = 2.0 * column / (columns - 1) - 1.0 if columns > 1 else 0.0
    y = 2.0 * row / (rows - 1) - 1.0 if rows > 1 else 0.0
    u, v = (float(a) * x + float(b) * y + float(c) for a, b, c in theta)
    return (u + 1.0) / 2.0 * (columns - 1), (v + 1.0) / 2.0 * (rows - 1)


def _bilinear(plane, x, y, border):
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


def _recolour(pixel, saturation, hue):
    """Red, green, blue to hue, saturation, value, the two changes, and back (Smith 1978)."""
    h, s, v = _to_hsv(*pixel)
    return _to_rgb((h + hue) % 1.0, min(max(s * saturation, 0.0), 1.0), v)


def _to_hsv(red, green, blue):
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


def _to_rgb(hue, saturation, value):
    sixth = math.floor(hue * 6.0)
    part = hue * 6.0 - sixth
    low = value * (1.0 - saturation)
    falling = value * (1.0 - saturation * part)
    rising = value * (1.0 - saturation * (1.0 - part))
    return (
        (value, rising, low),
        (falling, value, low),
        (low, value, rising),
        (low, falling, value),
        (rising, low, value),
        (value, low, falling),
    )[sixth % 6]
