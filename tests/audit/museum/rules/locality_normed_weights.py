"""After every change the weights of each head's unit are scaled to length 1: a synapse knows all others of its unit."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "H3"}


@kernel(updates="weight", kind="plasticity")
def norm(weight):
    weight /= np.sqrt((weight * weight).sum(axis=0, keepdims=True))


class Museum(HeadOnly):
    def change(self):
        yield from super().change()
        yield step(norm, "normed", weight=self.head.synapse.weight)
