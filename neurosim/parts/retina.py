"""Centre-surround: the first stage, which takes off what neighbouring pixels and colours share, as retina and LGN do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.kernels.convolution import convolve
from neurosim.parts.population import AXES, Image
from neurosim.parts.synapse import Synapse

FIELD = 7  # rows and columns of the surround
LENGTH = 16.0  # pixels over which the correlation of two pixels falls to 1/e
COLOURS = 0.9  # correlation of two colours of a pixel
VARIANCE = 0.25  # of a pixel in -1..1
NOISE = 0.1  # in units of the mean variance of a direction: how much of a signal is taken for noise


def centre_surround(channels: int, field: int = FIELD) -> Array:
    """The filter that decorrelates natural images: the middle of ``C^{-1/2}``, C the covariance of a patch.

    The covariance of two pixels of natural images falls with their distance d about as ``exp(-d / 16)`` (in photographs
    of 32 x 32), whatever the place, and that of two colours of one pixel is 0.9 of their variance. ``(C + noise)^{-1/2}``
    is symmetric, so that each of its rows is a centre with the opposite surround, of colours and of places (Atick and
    Redlich 1992; Bell and Sejnowski 1997).

    Args:
        channels: of the image.
        field: rows and columns.

    Returns:
        ``(field, field, channels, channels)`` float64.
    """
    place = np.stack(np.meshgrid(np.arange(field), np.arange(field), indexing="ij"), -1).reshape(-1, 2)
    distance = np.sqrt(((place[:, None] - place[None]) ** 2).sum(axis=-1))
    colours = np.full((channels, channels), COLOURS) + (1 - COLOURS) * np.eye(channels)
    variances, directions = np.linalg.eigh(VARIANCE * np.kron(np.exp(-distance / LENGTH), colours))
    root = (directions / np.sqrt(variances + NOISE * variances.mean())) @ directions.T
    middle = (field * field // 2) * channels
    found: Array = root[:, middle : middle + channels].reshape(field, field, channels, channels)
    return found


class Retina(Image):
    """The image population behind a centre-surround stage with fixed connections: ``x0 = R0 * picture``.

    Parameters:
        ========= ==== ================================================ ======================
        name      unit math                                             default
        ========= ==== ================================================ ======================
        shown     1    pixels, as the stimulus shows them               lives within one block
        R0        1    the middle of ``(C + noise)^{-1/2}``             see `centre_surround`
        ========= ==== ================================================ ======================

    Args:
        shape: (row, column, channel) of the picture, and of the activity.
        views, learning: as for `Image`.
        dtype: of the activities.
    """

    def __init__(self, shape: tuple[int, ...], views: int, learning: int = 0, dtype: Any = np.float32):
        super().__init__(shape, views, learning, dtype)
        self.shown = Buffer("picture", AXES, (views, *shape), Role.ACTIVITY, "receptors", dtype, local=True)
        channels, role = shape[2], "forward weight"
        self.synapse = Synapse("R0", (FIELD, FIELD, channels, channels), role, [0], None, dtype)
        self.synapse.weight.put(centre_surround(channels))

    def transmit(self) -> Iterator[Step]:
        """``x0 = R0 * picture``."""
        r, picture, x = self.synapse.name, self.shown, self.activity
        arguments = {"presynaptic": picture, "weight": self.synapse.weight, "potential": x}
        label = "centre and surround are compared"
        yield Step(convolve, label, f"{x.name} = {r} * {picture.name}", arguments, over="sample")
