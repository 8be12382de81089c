"""Frozen features: the activity of every layer for undeformed pictures, on a coarse grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.errors import DataError

if TYPE_CHECKING:
    from neurosim.core.backend import Backend
    from neurosim.core.typing import Array
    from neurosim.data.views.framing import Framing
    from neurosim.engine.threads import ThreadTeam
    from neurosim.networks.network import Network
    from neurosim.parts.population import Units
    from neurosim.parts.stimulus import Stimulus

GRID = 4  # at most so many rows and columns of a layer's activity reach the read-out


def coarse(activity: Array, grid: int = GRID) -> Array:
    """Average the activity over a grid of at most 4 x 4 cells.

    Args:
        activity: ``(sample, row, column, channel)``.
        grid: cells a side, at most.

    Returns:
        ``(sample, feature)``; conv5's top, 4 x 4 x 512 already, comes through as it is.
    """
    samples, rows, columns, channels = activity.shape
    down, across = cells_of(rows, grid), cells_of(columns, grid)
    cells = activity.reshape(samples, down, rows // down, across, columns // across, channels)
    means: Array = cells.mean(axis=(2, 4), dtype=activity.dtype)
    return means.reshape(samples, down * across * channels)


def cells_of(size: int, grid: int = GRID) -> int:
    """Cells of the grid along rows or columns of a map: at most so many, all alike."""
    return max(d for d in range(1, min(grid, size) + 1) if size % d == 0)


def pictures(images: Array, shape: tuple[int, int, int]) -> Array:
    """Pictures as the stimulus takes them.

    Args:
        images: ``(sample, row, column, channel)``, uint8, or floating numbers in 0 .. 1.
        shape: (row, column, channel) that each must have.

    Returns:
        uint8; of floating numbers ``round(255 x)``.

    Raises:
        DataError: another shape, type or range.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != shape:
        raise DataError(
            f"images of shape {images.shape}",
            f"(sample, {', '.join(map(str, shape))}), as the network was built for",
            "scale them to that size, channels last",
        )
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise DataError(f"images of {images.dtype}", "uint8, or floating numbers in 0 .. 1", "convert them")
    if images.size and not (images.min() >= 0 and images.max() <= 1):  # NaN fails this too
        low, high = images.min(), images.max()
        raise DataError(f"images with numbers from {low} to {high}", "0 .. 1 for floating numbers", "scale them")
    rounded: Array = np.rint(images * images.dtype.type(255)).astype(np.uint8)
    return rounded


class Encoder:
    """A network that only encodes: its forward weights are given, nothing learns.

    Args:
        network: as many views at a time as its arrays have rows.
        stimulus: of the network; nothing is deformed.
        framing: which part of a picture is shown; the activity of its patches is averaged over each patch.
        patches: of each picture; 1 where whole pictures are shown.
        backend: of the device.
    """

    def __init__(self, network: Network, stimulus: Stimulus, framing: Framing, patches: int, backend: Backend):
        self.network, self.stimulus, self.framing, self.patches = network, stimulus, framing, patches
        self.pictures = network.populations[0].views // patches
        steps = [*stimulus.present(), *network.propagate()]
        plan = Plan("encode", steps, [population.activity for population in network.populations[1:]])
        self.program = Program(plan, backend)

    @property
    def grid(self) -> int:
        """Cells a side, at most; a network whose heads average reads maps half as fine."""
        return GRID // 2 if self.network.averages else GRID

    def width(self, number: int) -> int:
        """Features of a picture that a layer gives."""
        rows, columns, channels = self.network.populations[number].shape
        if self.framing.patch is not None:
            rows = columns = int(self.patches**0.5)
        return cells_of(rows, self.grid) * cells_of(columns, self.grid) * channels

    def layer(self, number: int | None) -> int:
        """The number of a layer; None: of the top.

        Raises:
            DataError: no such layer.
        """
        top = len(self.network)
        if number is not None and not (isinstance(number, int | np.integer) and 1 <= number <= top):
            raise DataError(f"layer {number!r}", f"1 to {top}, the top", "leave layer out for the top")
        return top if number is None else int(number)

    def features(self, images: Array, team: ThreadTeam, layers: Sequence[int] | None = None) -> list[Array]:
        """Features of some layers, ``(sample, feature)`` each.

        Args:
            images: uint8 ``(sample, row, column, channel)``; of several frames the first is taken.
            team: who computes.
            layers: which, from 1; None: every layer, layer 1 first.
        """
        chosen = self.network.populations[1:] if layers is None else [self.network.populations[n] for n in layers]
        if images.ndim == 5:
            images = images[:, 0]
        found: list[Array] = []
        for start in range(0, max(1, len(images)), self.pictures):
            part = self.framing.centre(images[start : start + self.pictures])
            self.stimulus.load(part)
            self.program.run(team)
            rows = [self._coarse(population, len(part)) for population in chosen]
            # Filled where they stay: of wide layers a second copy would not fit.
            found = found or [np.empty((len(images), each.shape[1]), each.dtype) for each in rows]
            for layer, each in zip(found, rows, strict=True):
                layer[start : start + len(each)] = each
        return found

    def _coarse(self, population: Units, count: int) -> Array:
        """Features of one layer, of the views that are shown."""
        activity = population.activity.array[:count]
        if self.framing.patch is not None:
            side = int(self.patches**0.5)
            activity = activity.mean(axis=(1, 2)).reshape(-1, side, side, population.shape[2])
        seen = coarse(activity, self.grid)
        device = population.activity.device
        return device.host(seen) if device else seen


def forward_weights(network: Network) -> dict[str, Array]:
    """``W1`` ... ``WL`` and their biases -> the weights of the forward projections, heads left out."""
    return {s.name: s.weight.host() for s in network.synapses}
