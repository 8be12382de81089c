"""What of a picture is shown: the whole of it, a crop, or a grid of patches of a grey crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.core.typing import Array
from neurosim.errors import DataError

GREY = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601, as in CLAPP's code)


@dataclass(frozen=True)
class Framing:
    """How a picture is cut before it is shown.

    Args:
        crop: rows and columns of the part that is shown, at a random place in training and in the middle else;
            None: the whole picture.
        patch: rows and columns of a patch; patches overlap by half. None: no patches.
        grey: one channel of brightness instead of the picture's own.
    """

    crop: int | None = None
    patch: int | None = None
    grey: bool = False

    def shape(self, image: tuple[int, int, int]) -> tuple[int, int, int]:
        """(row, column, channel) of what the network sees of a picture of a shape.

        Raises:
            DataError: a crop larger than the picture, or patches that do not fill the crop.
        """
        rows, columns, channels = image
        if self.crop is not None and not 1 <= self.crop <= min(rows, columns):
            most = min(rows, columns)
            raise DataError(
                f"crop={self.crop} of pictures of {rows} x {columns}", f"1 to {most}", f"write crop={most}", "crop"
            )
        if self.crop is not None:
            rows = columns = self.crop
        if self.patch is not None:
            grid(rows, self.patch)
            rows = columns = self.patch
        return rows, columns, 1 if self.grey else channels

    def views(self, size: int) -> int:
        """Views of one picture of ``size`` rows: one, or as many as there are patches."""
        return 1 if self.patch is None else grid(self.crop or size, self.patch) ** 2

    def random_crop(self, images: Array, rng: np.random.Generator) -> Array:
        """Pictures as training sees them: each cropped at a place of its own; patches of a crop may be flipped.

        Args:
            images: uint8 ``(sample, row, column, channel)``, a memory map or not.
            rng: three numbers are taken a picture, whatever is asked for.
        """
        count, rows, columns, _ = images.shape
        drawn = rng.random((count, 3))
        top, left = (self._at(drawn[:, i], size) for i, size in enumerate((rows, columns)))
        images = self._cropped(images, top, left)
        if self.patch is not None:
            images = np.where((drawn[:, 2] < 0.5)[:, None, None, None], images[:, :, ::-1], images)
        return self._parts(images)

    def centre(self, images: Array) -> Array:
        """Pictures as the read-out sees them: the middle, never flipped; arguments as `random_crop`."""
        count, rows, columns, _ = images.shape
        top, left = (np.full(count, (size - (self.crop or size)) // 2) for size in (rows, columns))
        return self._parts(self._cropped(images, top, left))

    def _at(self, drawn: Array, size: int) -> Array:
        return (drawn * (size - (self.crop or size) + 1)).astype(np.int64)

    def _cropped(self, images: Array, top: Array, left: Array) -> Array:
        if self.crop is None or images.shape[1:3] == (self.crop, self.crop):
            return np.asarray(images)
        size = range(self.crop)
        sample, row, column = np.arange(len(images))[:, None, None], top[:, None] + size, left[:, None] + size
        return np.asarray(images[sample, row[:, :, None], column[:, None, :]])

    def _parts(self, images: Array) -> Array:
        if self.grey:
            weights = (
                np.array(GREY, np.float32) if images.shape[-1] == 3 else np.full(images.shape[-1], 1 / images.shape[-1])
            )
            images = np.rint(images @ weights.astype(np.float32)).astype(np.uint8)[..., None]
        return images if self.patch is None else patches(images, self.patch)


def grid(size: int, patch: int) -> int:
    """Rows of patches in ``size`` rows of pixels, half overlapping: ``(size - patch) / (patch / 2) + 1``.

    Raises:
        DataError: patches that do not fill it, or fewer than three rows of them (none lies two rows below another).
    """
    stride = patch // 2
    if patch < 2 or patch % 2 or patch > size or (size - patch) % stride or (size - patch) // stride < 2:
        raise DataError(
            f"patches of {patch} in pictures of {size} x {size}",
            "an even size, patches that fill the picture in steps of half of it, three rows at least",
            f"write patch={max(2, size // 8 * 2)}, or change crop",
            "patch",
        )
    return (size - patch) // stride + 1


def patches(images: Array, patch: int) -> Array:
    """Half-overlapping patches, a picture's row by row: ``(sample x grid x grid, patch, patch, channel)``."""
    count, size, columns, channels = images.shape
    if size != columns:
        raise DataError(f"patches of pictures of {size} x {columns}", "square ones", f"write crop={min(size, columns)}")
    many, stride = grid(size, patch), patch // 2
    s, r, c, e = images.strides
    view = np.lib.stride_tricks.as_strided(
        images, (count, many, many, patch, patch, channels), (s, r * stride, c * stride, r, c, e), writeable=False
    )
    return view.reshape(-1, patch, patch, channels)
