"""Batch normalisation of layer 1's activity: a unit's activity depends on the other pictures of the batch."""

import numpy as np
from lab import Lab, kernel, step

EXPECTED = {"exit": 0, "grade": "local over a batch", "network": "5 hardtanh, 4 hardtanh"}


@kernel(updates="activity", kind="respond")
def normal(activity):
    activity -= activity.mean(axis=0, keepdims=True)
    activity /= np.sqrt((activity * activity).mean(axis=0, keepdims=True) + 0.1)


class Museum(Lab):
    def up(self):
        first, second = self.network.projections
        yield from first.transmit()
        yield from first.post.respond()
        yield step(normal, "batch normalisation", activity=first.post.activity)
        yield from second.transmit()
        yield from second.post.respond()
        yield from self.head.transmit()
