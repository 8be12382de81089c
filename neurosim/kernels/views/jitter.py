"""Colour jitter on the CPU: brightness, contrast, saturation and hue of blocks of views, each in place."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels.views.colour import light, recolour


def _blend(view: Array, other: Array | float, factor: Array) -> Array:
    """``factor view + (1 - factor) other``, held in 0 .. 1."""
    factor = factor.astype(view.dtype)[:, None, None, None]
    view *= factor
    view += (1 - factor) * other
    clipped: Array = np.clip(view, 0, 1, out=view)
    return clipped


def _brightness(view: Array, factor: Array) -> Array:
    return _blend(view, 0, factor)


def _contrast(view: Array, factor: Array) -> Array:
    grey = light(view).reshape(len(view), -1)
    return _blend(view, grey.mean(axis=1)[:, None, None, None], factor)


def _saturation(view: Array, factor: Array) -> Array:
    return _blend(view, light(view)[..., None], factor) if view.shape[3] == 3 else view


def _hue(view: Array, turns: Array) -> Array:
    if view.shape[3] != 3:
        return view
    planes = thread_local("jitter.planes", (8, *view.shape[:3]), view.dtype)
    np.copyto(planes[:3], np.moveaxis(view, 3, 0))
    recolour(planes[:3], np.ones(len(view)), turns, planes[3:], view)
    clipped: Array = np.clip(view, 0, 1, out=view)
    return clipped


# In the order of their numbers: what a view's own order names. Each changes a view and returns it.
CHANGES = (_brightness, _contrast, _saturation, _hue)
