"""Examples of a data set on one picture."""

import numpy as np
from PIL import Image, ImageDraw

from neurosim.core.typing import Array
from neurosim.errors import DataError

SCALE = 3  # screen pixels along each side of a pixel
GAP = 4  # screen pixels between pictures
MARGIN = 84  # screen pixels for a class's name


def contact_sheet(images: Array, labels: Array | None, classes: tuple[str, ...], per_class: int = 12) -> Image.Image:
    """Examples on one picture, three times their size: a row a class, with its name.

    Args:
        images: uint8 ``(sample, row, column, channel)``, or with a frame axis after the first: the frames of a sample
            then stand side by side. Other channels than three are shown by `coloured`.
        labels: int64 ``(sample,)``; where None, the first samples fill as many rows as there are classes, unnamed.
        classes: the names of the rows.
        per_class: samples in a row, at most.

    Raises:
        DataError: images of another shape or type.
    """
    if images.dtype == np.uint8 and images.ndim in (4, 5) and images.shape[-1] != 3:
        images = coloured(images)
    if images.dtype != np.uint8 or images.ndim not in (4, 5):
        raise DataError(
            f"images are {images.dtype} with shape {images.shape}",
            "uint8 (sample, row, column, channel), or with a frame axis after the first",
            "convert them before use",
        )
    films = images if images.ndim == 5 else images[:, None]
    frames, high, wide = films.shape[1:4]
    margin = MARGIN if labels is not None else GAP
    step_x, step_y = frames * wide * SCALE + GAP, high * SCALE + GAP
    sheet = Image.new("RGB", (margin + per_class * step_x, GAP + len(classes) * step_y), "white")
    pen = ImageDraw.Draw(sheet)
    for row, name in enumerate(classes):
        top = GAP + row * step_y
        if labels is None:
            chosen = np.arange(row * per_class, min((row + 1) * per_class, len(films)))
        else:
            chosen = np.flatnonzero(labels == row)[:per_class]
            pen.text((GAP, top + step_y // 2 - 8), name, fill="black")
        for column, sample in enumerate(chosen):
            sheet.paste(_strip(films[sample]), (margin + column * step_x, top))
    return sheet


def _strip(film: Array) -> Image.Image:
    """The frames of one sample side by side, enlarged."""
    strip = Image.fromarray(np.concatenate(film, axis=1))
    return strip.resize((strip.width * SCALE, strip.height * SCALE), Image.Resampling.NEAREST)


def coloured(images: Array) -> Array:
    """Pictures of any channels as ``(..., 3)``: every place has the hue of its strongest channel, as bright as that is."""
    channels = images.shape[-1]
    wheel = [Image.new("HSV", (1, 1), (255 * hue // channels, 200, 255)).convert("RGB") for hue in range(channels)]
    hues = np.array([colour.getpixel((0, 0)) for colour in wheel])
    strength = images.max(axis=-1, keepdims=True).astype(np.int64)
    found: Array = (hues[images.argmax(axis=-1)] * strength // 255).astype(np.uint8)
    return found
