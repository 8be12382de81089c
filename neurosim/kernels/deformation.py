"""Two views of one image: the affine, colour and flip deformations, on blocks of samples."""

import numpy as np

from neurosim.kernels.workspace import chunks, thread_local

# Pixels handled at once, in 18 planes of float32. One thread gains little beyond 16,384 pixels (32x32 views, microseconds a
# view on an EPYC: 57 at 4096, 38 at 8192, 32 at 16384), but two threads wait for each other between shorter calls:
# `neurosim.parts.stimulus.ROWS` has the numbers.
_PIXELS = 65536


def deform(image, theta, saturation, hue, flip, out, *, border: bool) -> None:
    """Deforms every image by its own parameters: affine map, then colour, then flip.

    The pixel at place ``p = (x, y)``, both in -1 .. 1 from the centre of the first to that of the last pixel, is read
    at ``theta @ (x, y, 1)`` by bilinear interpolation (``affine_grid`` and ``grid_sample`` of PyTorch, corners
    aligned). In HSV, ``s <- min(saturation * s, 1)`` and ``h <- (h + hue) mod 1``. The flip reverses the columns.

    Args:
        image: ``(sample, row, column, channel)``; uint8 (read as value / 255) or floating (0 .. 1). With three channels
            they are red, green, blue; any other number has no hue and no saturation, and colour leaves it as it is.
        theta: ``(sample, 2, 3)``, in units of half the image; the first row gives x (columns), the second y (rows).
        saturation: ``(sample,)`` factor, 1 for no change.
        hue: ``(sample,)`` shift in turns, 0 for no change.
        flip: ``(sample,)`` bool.
        out: float32 or float64, the shape of ``image``; written. All arithmetic is in its type.
        border: outside of the image is its nearest border pixel, instead of 0.

    Source:
        Tang, Yang, Amit (2022), section "Deformations"; the HSV formulas are Smith (1978), without branches.

    Notes:
        Work is sample by sample: any split of the samples into calls gives the same bits.
    """
    samples, rows, columns, channels = image.shape
    step = max(1, _PIXELS // (rows * columns))
    for part in chunks(samples, step):
        colours, spare = _mapped(image[part], theta[part], flip[part], out.dtype, border)
        if channels == 3:
            recolour(colours, saturation[part], hue[part], spare, out[part])
        else:
            np.copyto(np.moveaxis(out[part], 3, 0), colours)


def affine(image, theta, flip, out) -> None:
    """The affine map and the flip of `deform` alone, for a few samples; outside of the image is 0."""
    np.copyto(np.moveaxis(out, 3, 0), _mapped(image, theta, flip, out.dtype, False)[0])


def _mapped(image, theta, flip, dtype, border):
    """Planes ``(channel, sample, row, column)`` of the mapped image, and five spare ones."""
    planes = thread_local("deform.planes", (7 + image.shape[3], *image.shape[:3]), dtype)
    index = thread_local("deform.index", image.shape[:3], np.intp)
    places, spare, colours = planes[:2], planes[2:7], planes[7:]
    _place(theta, flip, places, border)
    corners = _corners(places, index, spare)
    _sample(_pad(image, dtype), index, corners, spare[4], colours)
    return colours, planes[:5]


def _axis(count):
    """Places of the pixels of one axis, -1 .. 1, exactly symmetric; a single pixel is at 0."""
    return (2.0 * np.arange(count) - (count - 1)) / max(count - 1, 1)


def _place(theta, flip, places, border):
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


def _corners(places, index, spare):
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


def _pad(image, dtype):
    """Copies the image into planes ``(channel, sample, row, column)`` with one pixel of 0 all round."""
    samples, rows, columns, channels = image.shape
    padded = thread_local("deform.padded", (channels, samples, rows + 2, columns + 2), dtype)
    padded.fill(0)
    np.copyto(padded[:, :, 1:-1, 1:-1], np.moveaxis(image, 3, 0))
    if image.dtype == np.uint8:
        np.divide(padded, 255, out=padded)
    return padded


def _sample(padded, index, weights, spare, colours):
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


def recolour(colours, saturation, hue, spare, out):
    """Changes saturation and hue of the planes ``colours`` and writes the result into ``out``, channels last.

    With value ``v = max``, ``m = min`` and chroma ``c = v - m``, the saturation is ``c / v``, so the new chroma is
    ``min(saturation * c, v)``: no division. The hue in sixths of a turn is
    ``+-((g - m) + (b - m) + (v - r)) / c`` with the sign of ``g - b``, in -3 .. 3, whichever channel is largest.
    The way back is ``v - chroma * clip(|h - 2| - 1, 0, 1)`` for green, the same with 4 for blue, and
    ``v - chroma * clip(2 - |h - 3|, 0, 1)`` for red.
    """
    red, green, blue = colours
    value, least, chroma, turn, work = spare
    np.maximum(red, green, out=value)
    np.maximum(value, blue, out=value)
    np.minimum(red, green, out=least)
    np.minimum(least, blue, out=least)
    np.subtract(value, least, out=chroma)

    np.subtract(green, least, out=turn)
    np.add(turn, np.subtract(blue, least, out=work), out=turn)
    np.add(turn, np.subtract(value, red, out=work), out=turn)
    # A grey has chroma 0 and no hue: 0 / tiny gives it the hue 0. Where chroma is not 0, adding tiny changes nothing.
    np.divide(turn, np.add(chroma, np.finfo(chroma.dtype).tiny, out=work), out=turn)
    np.copysign(turn, np.subtract(green, blue, out=work), out=turn)
    np.multiply(turn, 1 / 6, out=turn)
    np.add(turn, hue.astype(turn.dtype)[:, None, None], out=turn)
    np.subtract(turn, np.floor(turn, out=work), out=turn)
    np.multiply(turn, 6, out=turn)

    np.multiply(chroma, np.maximum(saturation, 0).astype(chroma.dtype)[:, None, None], out=chroma)
    np.minimum(chroma, value, out=chroma)
    for channel, opposite in enumerate((3, 2, 4)):
        np.abs(np.subtract(turn, opposite, out=work), out=work)
        if channel == 0:
            np.subtract(2, work, out=work)
        else:
            np.subtract(work, 1, out=work)
        np.clip(work, 0, 1, out=work)
        np.multiply(work, chroma, out=work)
        np.subtract(value, work, out=out[..., channel])
