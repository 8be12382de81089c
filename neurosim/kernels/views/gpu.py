"""Views on a GPU: launches of kernels.cu, one pixel a thread; reference.py says what each computes.

Places are worked out in float64, colours in the type of the result.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.core.typing import Array
from neurosim.kernels import views
from neurosim.kernels.sources import register

if TYPE_CHECKING:
    from neurosim.kernels.gpu import Gpu

IMAGES = {"uint8": 0, "float32": 1, "float64": 2}  # of what an image is made, as prelude.cu counts

register(Path(__file__).with_name("kernels.cu"))


@views.present.gpu
def present(gpu: Gpu, image: Array, activity: Array, *, gain: float, offset: float) -> None:
    """``x0 = gain * image / 255 + offset``."""
    kind = IMAGES[image.dtype.name]
    gpu.launch(activity.dtype, "present", activity.size, image, activity, kind, float(gain), float(offset))


@views.deform.gpu
def deform(
    gpu: Gpu, image: Array, theta: Array, saturation: Array, hue: Array, flip: Array, out: Array, *, border: bool
) -> None:
    """Affine map, then colour, then flip."""
    colour = gpu.double("saturation", saturation), gpu.double("hue", hue)
    _map(gpu, image, theta, colour, flip, out, border, True)


@views.deform_simclr.gpu
def deform_simclr(
    gpu: Gpu,
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
    """A resized crop, flipped or not, a launch for each of the four changes of colour, then grey."""
    samples, rows, columns, channels = out.shape
    pixels = samples * rows * columns
    given = {"brightness": brightness, "contrast": contrast, "saturation": saturation, "hue": hue}
    factors = [gpu.double(name, factor) for name, factor in given.items()]
    _map(gpu, image, theta, (factors[2], factors[3]), flip, out, False, False)
    sums = gpu.workspace("lines", (samples, rows), "float64")
    for turn in range(4):
        gpu.launch(out.dtype, "sum_lines", sums.size, out, sums, columns, channels)
        gpu.launch(out.dtype, "jitter", pixels, out, sums, *factors, order, turn, rows, columns, channels)
    if channels == 3:
        gpu.launch(out.dtype, "remove_colour", pixels, out, grey, rows * columns)


def _map(
    gpu: Gpu,
    image: Array,
    theta: Array,
    colour: tuple[Array, Array],
    flip: Array,
    out: Array,
    border: bool,
    coloured: bool,
) -> None:
    """The affine map and the flip, and saturation and hue where ``coloured``."""
    _, rows, columns, channels = out.shape
    given = image, gpu.double("theta", theta), *colour, flip, out
    sizes = IMAGES[image.dtype.name], rows, columns, channels
    gpu.launch(out.dtype, "deform", out.size // channels, *given, *sizes, border, coloured)
