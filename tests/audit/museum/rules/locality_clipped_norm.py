"""Changes are shortened to a common length, as gradients are clipped by their norm: each synapse knows all others."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "H3"}


@kernel(updates="change", kind="plasticity")
def clip(change):
    change *= 0.1 / np.maximum(0.1, np.sqrt((change * change).sum()))


class Museum(HeadOnly):
    def learn(self):
        yield from super().learn()
        yield step(clip, "clipped", change=self.head.synapse.change)
