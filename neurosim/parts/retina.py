"""Centre-surround: the first stage, which takes off what neighbouring pixels and colours share, as retina and LGN do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.kernels.convolution import convolve
from neurosim.parts.population import AXES, Image
from neurosim.parts.synapse import Synapse

if TYPE_CHECKING:
    from neurosim.plasticity.base import Plasticity

FIELD = 7  # rows and columns of the surround
LENGTH = 16.0  # pixels over which the correlation of two pixels falls to 1/e
COLOURS = 0.9  # correlation of two colours of a pixel
VARIANCE = 0.25  # of a pixel in -1..1
SPREAD = 0.5  # of what the stage answers natural images
NOISY = 0.05  # variance of a learned stage's noise
RATE = 0.04  # of a learned stage; above 2 by the largest variance of a patch it would not converge
NOISE = 0.1  # in units of the mean variance of a direction: how much of a signal is taken for noise


def covariance(channels: int, field: int = FIELD) -> Array:
    """Of the pixels of a patch of a natural image, ``(field^2 channels, the same)`` float64.

    It falls with the distance d of two pixels about as ``exp(-d / 16)`` (in photographs of 32 x 32), whatever the place, and
    that of two colours of one pixel is 0.9 of their variance.

    Args:
        channels: of the image.
        field: rows and columns.
    """
    place = np.stack(np.meshgrid(np.arange(field), np.arange(field), indexing="ij"), -1).reshape(-1, 2)
    distance = np.sqrt(((place[:, None] - place[None]) ** 2).sum(axis=-1))
    colours = np.full((channels, channels), COLOURS) + (1 - COLOURS) * np.eye(channels)
    found: Array = VARIANCE * np.kron(np.exp(-distance / LENGTH), colours)
    return found


def centre_surround(channels: int, field: int = FIELD) -> Array:
    """The filter that decorrelates natural images: the middle of ``C^{-1/2}``, C the covariance of a patch.

    ``(C + noise)^{-1/2}`` is symmetric, so that each of its rows is a centre with the opposite surround, of colours and of
    places (Atick and Redlich 1992; Bell and Sejnowski 1997).

    Args:
        channels: of the image.
        field: rows and columns.

    Returns:
        ``(field, field, channels, channels)`` float64.
    """
    variances, directions = np.linalg.eigh(covariance(channels, field))
    root = (directions / np.sqrt(variances + NOISE * variances.mean())) @ directions.T
    return _middle(root, channels, field)


def own_input(channels: int, field: int = FIELD) -> Array:
    """1 for the synapse of every unit from its own pixel and colour, else 0; as the filter."""
    return _middle(np.eye(field * field * channels), channels, field)


def _middle(matrix: Array, channels: int, field: int) -> Array:
    middle = (field * field // 2) * channels
    found: Array = matrix[:, middle : middle + channels].reshape(field, field, channels, channels)
    return found


class Retina(Image):
    """The image population behind a stage with fixed connections: ``x0 = R0 * picture``; centre and surround, or others.

    Parameters:
        ========= ==== ================================================ ======================
        name      unit math                                             default
        ========= ==== ================================================ ======================
        shown     1    pixels, as the stimulus shows them               lives within one block
        R0        1    the middle of ``(C + noise)^{-1/2}``             see `centre_surround`
        ========= ==== ================================================ ======================

    Args:
        shape: (row, column, channel) of the picture; the activity has as many rows and columns.
        views, learning: as for `Image`.
        dtype: of the activities.
        weights: ``(field, field, channel, unit)``, other connections than `centre_surround`.
    """

    label = "centre and surround are compared"

    def __init__(
        self,
        shape: tuple[int, ...],
        views: int,
        learning: int = 0,
        dtype: Any = np.float32,
        weights: Array | None = None,
    ):
        weights = centre_surround(shape[2]) if weights is None else weights
        super().__init__((*shape[:2], weights.shape[3]), views, learning, dtype)
        self.shown = Buffer("picture", AXES, (views, *shape), Role.ACTIVITY, "receptors", dtype, local=True)
        self.synapse = Synapse("R0", weights.shape, "forward weight", [0], None, dtype)
        self.synapse.weight.put(weights)

    def transmit(self) -> Iterator[Step]:
        """``x0 = R0 * picture``."""
        r, picture, x = self.synapse.name, self.shown, self.activity
        arguments = {"presynaptic": picture, "weight": self.synapse.weight, "potential": x}
        yield Step(convolve, self.label, f"{x.name} = {r} * {picture.name}", arguments, over="sample")

    @property
    def learns(self) -> bool:
        """Whether its connections learn."""
        return self.synapse.plasticity is not None

    def learn(self) -> Iterator[Step]:
        """``c = sum of picture x x0``, of what its connections carry and what it answers."""
        rows = self.learning, self.views
        seen = self.shown.part(self.shown.name, *rows) if self.learning else self.shown
        yield from self.synapse.hebbian(seen, self.active_part)

    def apply_update(self) -> Iterator[Step]:
        """The lasting change."""
        yield from self.synapse.consolidate()


class LearnedRetina(Retina):
    """A centre-surround stage whose connections learn: anti-Hebbian inhibition by what the surround predicts.

    It begins with every unit's own pixel alone, and ends at ``(C + noise)^{-1}`` of it, see
    `neurosim.plasticity.predictive.Predictive`; the gain is such that it answers natural images as strongly as the fixed one.

    Args:
        plasticity: makes that of its connections, from a rate, a decay, a share, own inputs and the name of the rate.
        shape, views, learning, dtype: as for `Retina`.
    """

    def __init__(
        self, plasticity: Callable[..., Plasticity], shape: tuple[int, ...], views: int, learning: int, dtype: Any
    ):
        super().__init__(shape, views, learning, dtype)
        own, places = own_input(shape[2]), (views - learning) * shape[0] * shape[1]
        natural = covariance(shape[2])
        flat = own.reshape(len(natural), -1)
        reached = np.linalg.solve(natural + NOISY * np.eye(len(natural)), flat)
        gain = SPREAD / np.sqrt(np.einsum("io,ij,jo->o", reached, natural, reached).mean())
        role, sizes = self.synapse.weight.role, self.synapse.shape
        learner = plasticity(RATE, NOISY, 1 / places, gain * own, "rate 0")
        self.synapse = Synapse("R0", sizes, role, [0], learner, dtype)
        self.synapse.weight.put(own * SPREAD / np.sqrt(VARIANCE))
