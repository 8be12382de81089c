"""Direct feedback to layer 1 that starts as the product of all weights above it: no array is alike, what is delivered is."""

import numpy as np
from lab import Lab

from neurosim.parts.feedback import Feedback
from neurosim.parts.projection import Projection
from neurosim.parts.synapse import Synapse

EXPECTED = {"exit": 1, "condition": "iii", "says": "D1|layer 1", "network": "4 hardtanh, 4 hardtanh"}


def jacobian(weight, rows, columns):
    """The matrix of a convolution ``(3, 3, in, out)``: ``(rows columns in, rows columns out)``."""
    below, above = weight.shape[2:]
    matrix = np.zeros((rows, columns, below, rows, columns, above), np.float32)
    for r in range(rows):
        for c in range(columns):
            for i in range(3):
                for j in range(3):
                    if 0 <= r + i - 1 < rows and 0 <= c + j - 1 < columns:
                        matrix[r + i - 1, c + j - 1, :, r, c, :] = weight[i, j]
    return matrix.reshape(rows * columns * below, rows * columns * above)


class Museum(Lab):
    def path(self, projection):
        network, layer = self.network, projection.pre
        shape, seed = (layer.size, network.head_units), [network.seed, ord("D"), layer.number]
        synapse = Synapse(f"D{layer.number}", shape, "feedback weight", seed, dtype=network.dtype)
        if layer.number == 1:
            rows, columns, _ = layer.shape
            second = jacobian(network.projections[1].synapse.weight.array, rows, columns)
            synapse.weight.array[...] = second @ self.head.synapse.weight.array
        return Feedback(Projection(layer, self.head.post, synapse), synapse)
