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
