"""A kernel draws its own noise, from a seed that is a declared scalar and a counter that is a declared memory."""

import numpy as np
from lab import Lab, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 0, "network": "5 hardtanh, 4 hardtanh"}


@kernel(updates="activity count", kind="respond")
def disturb(activity, count, *, seed):
    rng = np.random.default_rng([seed, int(count[0])])
    activity += 0.1 * rng.standard_normal(activity.shape)
    count += 1


class Museum(Lab):
    def build(self):
        self.count = Buffer("count", ("one",), (1,), "memory", "layer 1", np.int64, lasts=True)

    def up(self):
        first, second = self.network.projections
        yield from first.transmit()
        yield from first.post.respond()
        yield step(disturb, "noise", activity=first.post.activity, count=self.count, seed=self.network.seed)
        yield from second.transmit()
        yield from second.post.respond()
        yield from self.head.transmit()
