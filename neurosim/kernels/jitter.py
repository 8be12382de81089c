"""The views of SimCLR on the CPU: a resized crop, flipped or not, then colour jitter and grey, on blocks of samples."""

import numpy as np

from neurosim.kernels.deformation import affine, recolour
from neurosim.kernels.workspace import chunks, thread_local

# Handled at once: long enough calls for two threads not to wait for each other (183 us a view at 16, 108 at 32, 89 at 50).
_SAMPLES = 64
_LIGHT = (0.2989, 0.587, 0.114)  # of red, green and blue in a grey, as torchvision has it


def deform_simclr(image, theta, brightness, contrast, saturation, hue, order, grey, flip, out) -> None:
    """Deforms every image by its own parameters: see `neurosim.kernels.reference_deformation.deform_simclr`."""
    for part in chunks(len(image), _SAMPLES):
        view = out[part]
        affine(image[part], theta[part], flip[part], view)
        factors = (brightness[part], contrast[part], saturation[part], hue[part])
        for place in range(4):
            for change, factor in enumerate(factors):
                rows = np.flatnonzero(order[part, place] == change)
                if len(rows):
                    view[rows] = _CHANGES[change](view[rows], factor[rows])
        rows = np.flatnonzero(grey[part])
        if len(rows) and image.shape[3] == 3:
            view[rows] = _light(view[rows])[..., None]


def _light(view):
    """The grey of every pixel, ``(sample, row, column)``."""
    if view.shape[3] != 3:
        return view.mean(axis=3, dtype=view.dtype)
    red, green, blue = (view.dtype.type(share) for share in _LIGHT)
    return view[..., 0] * red + view[..., 1] * green + view[..., 2] * blue


def _blend(view, other, factor):
    """``factor view + (1 - factor) other``, held in 0 .. 1."""
    factor = factor.astype(view.dtype)[:, None, None, None]
    view *= factor
    view += (1 - factor) * other
    return np.clip(view, 0, 1, out=view)


def _brightness(view, factor):
    return _blend(view, 0, factor)


def _contrast(view, factor):
    light = _light(view).reshape(len(view), -1)
    return _blend(view, light.mean(axis=1)[:, None, None, None], factor)


def _saturation(view, factor):
    return _blend(view, _light(view)[..., None], factor) if view.shape[3] == 3 else view


def _hue(view, turns):
    if view.shape[3] != 3:
        return view
    planes = thread_local("jitter.planes", (8, *view.shape[:3]), view.dtype)
    np.copyto(planes[:3], np.moveaxis(view, 3, 0))
    recolour(planes[:3], np.ones(len(view)), turns, planes[3:], view)
    return np.clip(view, 0, 1, out=view)


_CHANGES = (_brightness, _contrast, _saturation, _hue)
