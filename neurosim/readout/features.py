"""Frozen features: the activity of every layer for undeformed pictures, on a coarse grid."""

from __future__ import annotations

import numpy as np

from neurosim.core.plan import Plan
from neurosim.data.views.framing import Framing
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.kernels.devices import backend
from neurosim.networks.network import Network
from neurosim.parts.stimulus import Stimulus

GRID = 4  # at most so many rows and columns of a layer's activity reach the read-out


def coarse(activity: np.ndarray, grid: int = GRID) -> np.ndarray:
    """Average the activity over a grid of at most 4 x 4 cells.

    Args:
        activity: ``(sample, row, column, channel)``.
        grid: cells a side, at most.

    Returns:
        ``(sample, feature)``; conv5's top, 4 x 4 x 512 already, comes through as it is.
    """
    samples, rows, columns, channels = activity.shape
    down, across = (max(d for d in range(1, min(grid, size) + 1) if size % d == 0) for size in (rows, columns))
    cells = activity.reshape(samples, down, rows // down, across, columns // across, channels)
    return cells.mean(axis=(2, 4), dtype=activity.dtype).reshape(samples, -1)


class Encoder:
    """A network that only looks: its forward weights are given, nothing learns.

    Args:
        text: of the network, image: (row, column, channel), as for `neurosim.networks.network.Network`.
        weights: ``W1`` ... ``WL``, ``bW1`` ... -> array, see `forward_weights`; None: the untrained ones of the seed (the floor).
        seed: of the initial weights.
        stimulus: gain, offset of the pictures.
        views: views at a time, at least.
        kernels: of the device; None: the CPU's.
        framing: what of a picture is looked at; the activity of its patches is averaged over each patch.
    """

    def __init__(self, text, image, weights=None, *, seed=0, gain=1.0, offset=0.0, dtype=np.float32, views=128,
                 framing=None, kernels=None):  # fmt: skip
        self.framing = framing or Framing()
        self.patches = self.framing.views(image[0])
        self.pictures = max(1, views // self.patches)
        self.network = Network(text, self.framing.shape(image), 1, seed=seed, dtype=dtype, views=self.pictures * self.patches)
        self.stimulus = Stimulus(self.network.populations[0], gain, offset)
        for projection in self.network.projections:
            if weights is not None:
                for synapse in projection.synapses:
                    synapse.weight.put(weights[synapse.name])
        steps = [*self.stimulus.present(False), *self.network.propagate()]
        plan = Plan("encode", steps, [population.activity for population in self.network.populations[1:]])
        self.program = Program(plan, kernels or backend("cpu"))

    def features(self, images: np.ndarray, team: ThreadTeam) -> list[np.ndarray]:
        """Features of every layer, ``(sample, feature)`` each, layer 1 first.

        Args:
            images: uint8 ``(sample, row, column, channel)``; of several frames the first is taken.
            team: who computes.
        """
        layers = self.network.populations[1:]
        if images.ndim == 5:
            images = images[:, 0]
        found = [[] for _ in layers]
        # A network whose heads average reads maps half as fine.
        grid = GRID // 2 if self.network.averages else GRID
        for start in range(0, len(images), self.pictures):
            part = self.framing.centre(images[start : start + self.pictures])
            self.stimulus.load(part)
            self.program.run(team)
            for rows, population in zip(found, layers, strict=True):
                activity = population.activity.array[: len(part)]
                if self.framing.patch is not None:
                    side = int(self.patches**0.5)
                    activity = activity.mean(axis=(1, 2)).reshape(-1, side, side, population.shape[2])
                seen, device = coarse(activity, grid), population.activity.device
                rows.append(device.host(seen) if device else seen)
        return [np.concatenate(rows) for rows in found]


def forward_weights(network: Network) -> dict[str, np.ndarray]:
    """``W1`` ... ``WL`` and their biases -> the weights of the forward projections, heads left out."""
    return {s.name: s.weight.host() for p in network.projections for s in p.synapses}
