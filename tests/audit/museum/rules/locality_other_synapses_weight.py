"""The head's weights change by the weights of their neighbours, too: each row leans to the row before."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "H3"}


@kernel(updates="weight", kind="plasticity")
def lean(weight):
    weight += 0.01 * (np.roll(weight, 1, axis=0) - weight)


class Museum(HeadOnly):
    def change(self):
        yield from super().change()
        yield step(lean, "H3 leans", weight=self.head.synapse.weight)
