"""F starts as the best approximation of rank 2 of the head, and never changes."""

import numpy as np
from lab import HeadOnly

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


class Museum(HeadOnly):
    def build(self):
        u, s, v = np.linalg.svd(self.head.synapse.weight.array, full_matrices=False)
        self.back.synapse.weight.array[...] = (u[:, :2] * s[:2]) @ v[:2]
