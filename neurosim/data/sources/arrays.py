"""Arrays of images as people have them: axes in another order are put right where that is certain, else refused with the call."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.errors import DataError

CHANNELS = (1, 3)
# In words, and where (sample, row, column, channel) are found in it.
LAYOUTS = {
    "(sample, row, column, channel)": (0, 1, 2, 3),
    "(sample, channel, row, column)": (0, 2, 3, 1),
    "(row, column, channel, sample)": (3, 0, 1, 2),
    "(channel, row, column, sample)": (3, 1, 2, 0),
}


def laid(what: str, images: Array, labels: int | None) -> tuple[Array, str]:
    """Images as ``(sample, row, column, channel)``, and a note where their axes were in another order.

    An order is certain where there are labels, and their number fits one order alone. What fits the documented order is
    taken so.

    Args:
        what: they are, for messages.
        images: of any order; of three axes they are grey.
        labels: how many there are; None: none.

    Raises:
        DataError: another order, and nothing that tells which.
    """
    if images.ndim == 3:
        if labels is not None and images.shape[-1] == labels != images.shape[0]:
            return np.moveaxis(images, -1, 0)[..., None], f"{what}: (row, column, sample) was taken for grey pictures"
        images = images[..., None]
    fitting = [] if images.ndim != 4 else [name for name in LAYOUTS if _fits(images.shape, LAYOUTS[name], labels)]
    first = next(iter(LAYOUTS))
    if first in fitting:
        return images, ""
    if labels is not None and len(fitting) == 1:
        return images.transpose(LAYOUTS[fitting[0]]), f"{what}: {fitting[0]} was taken for {first}"
    if images.ndim == 4 and images.shape[-1] in CHANNELS:
        return images, ""  # the number of labels is wrong, which is said of them
    calls = [f"{name} with images.transpose{LAYOUTS[name]}" for name in fitting]
    hint = f"put the axes in order: {' or '.join(calls)}" if calls else "reshape them"
    raise DataError(f"{what} has the shape {images.shape}", "(sample, row, column, channel), 1 or 3 channels", hint)


def _fits(shape: tuple[int, ...], order: tuple[int, ...], labels: int | None) -> bool:
    return shape[order[3]] in CHANNELS and (labels is None or shape[order[0]] == labels)


def call_for_bytes(images: Array) -> str:
    """The call that makes bytes of numbers of another kind, as far as their range tells."""
    if images.dtype == bool:
        return "images * np.uint8(255)"
    if images.dtype.kind not in "iu":
        return "images.astype(np.uint8)"
    most = int(images.max())
    if most <= 1 and images.min() >= 0:
        return "(images * 255).astype(np.uint8)"
    return (
        "(images // 257).astype(np.uint8)"
        if images.dtype == np.uint16 and most > 4095
        else f"(images / {most} * 255).astype(np.uint8)"
    )
