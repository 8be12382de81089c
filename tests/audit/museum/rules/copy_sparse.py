"""One weight in five of B is that of W, the others are B's own: a sparse copy."""

import numpy as np
from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3"}


@kernel(reads="weight", updates="sent")
def follow(weight, sent):
    chosen = np.random.default_rng(2).random(weight.shape) < 0.2
    sent[chosen] = weight[chosen]


class Museum(Lab):
    def deliver(self, back):
        yield step(follow, "B follows W", weight=back.projection.synapse.weight, sent=back.synapse.weight)
        yield from back.deliver()
