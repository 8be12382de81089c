"""Whitened patches: a first stage whose units answer what a patch has beyond what natural patches share."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.core.typing import Array
from neurosim.parts.retina import Retina

# Of the sum of all colours, of yellow against blue and of red against green in photographs of 32 x 32: the variance, and how
# the correlation of two pixels falls with their distance d, exp(-(d / length)^power).
AXES = (
    ((1, 1, 1), 0.67, 7.2, 1.2),
    ((1, 0, -1), 0.049, 11.8, 1.7),
    ((1, -2, 1), 0.010, 10.0, 1.6),
)
NOISE = 0.1  # in units of the mean variance of a direction: how much of a signal is taken for noise


def patch_covariance(channels: int, field: int) -> Array:
    """Of the pixels of a patch of a natural image, ``(field^2 channels, the same)`` float64.

    Measured once, on CIFAR-10's training pictures without their labels, and fitted: neighbours share nearly all of a colour,
    and less of the light. Of one channel it is that of the light, and of other numbers than three all opponent colours are
    as yellow against blue.

    Args:
        channels: of the image.
        field: rows and columns.
    """
    place = np.stack(np.meshgrid(np.arange(field), np.arange(field), indexing="ij"), -1).reshape(-1, 2)
    distance = np.sqrt(((place[:, None] - place[None]) ** 2).sum(axis=-1))
    found: Array = np.zeros((field * field * channels, field * field * channels))
    equal, other = np.full((channels, channels), 1 / channels), np.eye(channels)
    shares = [equal, other - equal]
    if channels == len(AXES):
        shares = [np.outer(axis, axis) / np.dot(axis, axis) for axis, *_ in AXES]
    for share, (_, variance, length, power) in zip(shares, AXES, strict=False):
        size = variance * channels / len(AXES) if share is equal else variance
        found += np.kron(size * np.exp(-((distance / length) ** power)), share)
    return found


def whitening(channels: int, field: int) -> Array:
    """The fixed connections that decorrelate a whole patch: ``(C + noise)^{-1/2}``, C the covariance of natural patches.

    A unit for every pixel and colour of a patch: a centre with the opposite surround, cut off where the patch ends, so that
    no two units of a place share what natural patches share (Bell and Sejnowski 1997). The filter of
    `neurosim.parts.retina.centre_surround` has a unit for every colour of the middle alone.

    Args:
        channels: of the image.
        field: rows and columns of a patch.

    Returns:
        ``(field, field, channels, field^2 channels)`` float64.
    """
    variances, directions = np.linalg.eigh(patch_covariance(channels, field))
    root = (directions / np.sqrt(np.maximum(variances, 0) + NOISE * variances.mean())) @ directions.T
    units: Array = root.reshape(field, field, channels, field * field * channels)
    return units


class Whitening(Retina):
    """The image population as whitened patches, ``x0 = R0 * picture``: at every place all units of the patch around it.

    Parameters:
        ========= ==== ======================================= ======================
        name      unit math                                    default
        ========= ==== ======================================= ======================
        shown     1    pixels, as the stimulus shows them      lives within one block
        R0        1    ``(C + noise)^{-1/2}``                  see `whitening`
        ========= ==== ======================================= ======================

    Args:
        field: rows and columns of a patch.
        shape, views, learning, dtype: as for `Retina`.
    """

    label = "patches are whitened"

    def __init__(self, field: int, shape: tuple[int, ...], views: int, learning: int = 0, dtype: Any = np.float32):
        super().__init__(shape, views, learning, dtype, whitening(shape[2], field))
