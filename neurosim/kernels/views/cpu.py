"""Views on the CPU, on blocks of samples: any split of the samples into calls gives the same bits.

reference.py says what each computes. All arithmetic of colours is in the type of the result.
"""

from __future__ import annotations

import numpy as np

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.core.workspace import chunks
from neurosim.kernels import views
from neurosim.kernels.views.affine import mapped
from neurosim.kernels.views.colour import light, recolour
from neurosim.kernels.views.jitter import CHANGES


@views.present.cpu
def present(image: Array, activity: Array, *, gain: float, offset: float) -> None:
    """``x0 = gain * image / 255 + offset``."""
    scale = gain / 255 if image.dtype == np.uint8 else gain
    np.multiply(image, activity.dtype.type(scale), out=activity, casting="unsafe")
    if offset:
        activity += activity.dtype.type(offset)


@views.deform.cpu
def deform(image: Array, theta: Array, saturation: Array, hue: Array, flip: Array, out: Array, *, border: bool) -> None:
    """Affine map, then colour, then flip."""
    samples, rows, columns, channels = image.shape
    step = max(1, tuning.CPU.deformed_pixels // (rows * columns))
    for part in chunks(samples, step):
        colours, spare = mapped(image[part], theta[part], flip[part], out.dtype, border)
        if channels == 3:
            recolour(colours, saturation[part], hue[part], spare, out[part])
        else:
            np.copyto(np.moveaxis(out[part], 3, 0), colours)


@views.deform_simclr.cpu
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
    """A resized crop, flipped or not, then colour jitter and grey."""
    for part in chunks(len(image), tuning.CPU.jittered_views):
        view = out[part]
        np.copyto(np.moveaxis(view, 3, 0), mapped(image[part], theta[part], flip[part], view.dtype, False)[0])
        factors = (brightness[part], contrast[part], saturation[part], hue[part])
        for place in range(4):
            for change, factor in enumerate(factors):
                rows = np.flatnonzero(order[part, place] == change)
                if len(rows):
                    view[rows] = CHANGES[change](view[rows], factor[rows])
        rows = np.flatnonzero(grey[part])
        if len(rows) and image.shape[3] == 3:
            view[rows] = light(view[rows])[..., None]
