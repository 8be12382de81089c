"""Colours of views on the CPU: hue, saturation and grey, on planes and on pictures."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array

LIGHT = (0.2989, 0.587, 0.114)  # of red, green and blue in a grey, as torchvision has it


def recolour(colours: Array, saturation: Array, hue: Array, spare: Array, out: Array) -> None:
    """Change saturation and hue of planes ``(3, sample, row, column)``, and write the result channels last.

    With value ``v = max``, ``m = min`` and chroma ``c = v - m``, the saturation is ``c / v``, so the new chroma is
    ``min(saturation * c, v)``: no division. The hue in sixths of a turn is
    ``+-((g - m) + (b - m) + (v - r)) / c`` with the sign of ``g - b``, in -3 .. 3, whichever channel is largest.
    The way back is ``v - chroma * clip(|h - 2| - 1, 0, 1)`` for green, the same with 4 for blue, and
    ``v - chroma * clip(2 - |h - 3|, 0, 1)`` for red. Source: Smith (1978), without branches.

    Args:
        colours: red, green and blue planes.
        saturation: ``(sample,)`` factor.
        hue: ``(sample,)`` shift in turns.
        spare: five planes to work in.
        out: ``(sample, row, column, 3)``, written.
    """
    value, _, chroma, turn, work = spare
    _to_hue(colours, hue, spare)
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


def _to_hue(colours: Array, hue: Array, spare: Array) -> None:
    """Value, least, chroma, and the shifted hue in sixths of a turn, into the first four spare planes."""
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


def light(view: Array) -> Array:
    """The grey of every pixel of pictures ``(sample, row, column, channel)``: ``(sample, row, column)``."""
    if view.shape[3] != 3:
        mean: Array = view.mean(axis=3, dtype=view.dtype)
        return mean
    red, green, blue = (view.dtype.type(share) for share in LIGHT)
    grey: Array = view[..., 0] * red + view[..., 1] * green + view[..., 2] * blue
    return grey
