"""Sheets of pictures that a network finds similar, where no picture has a label."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from neurosim.errors import RunError

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.data.dataset import Dataset
    from neurosim.readout.similar import Similar

SHOWN, GAP, LEAST = 12, 4, 48  # pictures of a group, screen pixels between pictures, and least screen pixels of one
NAMES = {"nearest.png": "A picture in the first column, then the nearest ones", "groups.png": "A group a row"}


def draw(folder: Path, found: Similar, data: Dataset) -> None:
    """Write ``nearest.png`` and ``groups.png`` into a run's folder.

    Raises:
        RunError: they cannot be written.
    """
    asked = data.test_images if found.held_out and data.test_images is not None else data.train_images
    rows = [
        [asked[query], *(data.train_images[number] for number in nearest)]
        for query, nearest in zip(found.queries, found.nearest, strict=True)
    ]
    groups = [[data.train_images[number] for number in group[:SHOWN]] for group in found.groups]
    for name, shown, apart in (("nearest.png", rows, True), ("groups.png", groups, False)):
        try:
            _sheet(shown, apart).save(folder / name)
        except OSError as error:
            actual = f"{folder / name} cannot be written ({error.strerror or error})"
            raise RunError(actual, "a folder that can be written", "make room, or choose another") from None


def section(folder: Path) -> str:
    """The part of report.html; empty where nothing was drawn."""
    parts = []
    for name, caption in NAMES.items():
        if (folder / name).is_file():
            picture = base64.b64encode((folder / name).read_bytes()).decode()
            parts.append(
                f'<p><img alt="{name}" src="data:image/png;base64,{picture}"></p><p class="pale">{caption}.</p>'
            )
    return "\n".join(["<h2>Similar pictures</h2>", *parts]) if parts else ""


def _sheet(rows: list[list[Array]], apart: bool) -> Image.Image:
    """Pictures row by row; ``apart``: the first of each row stands apart."""
    shown = [[_colours(picture) for picture in row] for row in rows]
    high, wide = shown[0][0].shape[:2]
    scale = max(1, -(-LEAST // max(high, wide)))
    step_x, step_y = wide * scale + GAP, high * scale + GAP
    columns = max(map(len, shown))
    sheet = Image.new("RGB", (GAP + columns * step_x + 2 * GAP * apart, GAP + len(shown) * step_y), "white")
    for down, row in enumerate(shown):
        for across, picture in enumerate(row):
            enlarged = Image.fromarray(picture).resize((wide * scale, high * scale), Image.Resampling.NEAREST)
            left = GAP + across * step_x + (2 * GAP if apart and across else 0)
            sheet.paste(enlarged, (left, GAP + down * step_y))
    return sheet


def _colours(picture: Array) -> Array:
    """Three channels: of several frames the first; of other channels their mean."""
    picture = picture[0] if picture.ndim == 4 else picture
    if picture.shape[-1] == 3:
        return np.ascontiguousarray(picture)
    return np.repeat(picture.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)
