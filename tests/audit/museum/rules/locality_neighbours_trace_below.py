"""The presynaptic trace of a synapse is that of the unit beside its own."""

import numpy as np
from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "i", "says": "H3|trace"}


@kernel(reads="activity", updates="trace", kind="store")
def follow(activity, trace):
    trace *= 0.5
    trace += np.roll(activity, 1, axis=1)


class Museum(HeadOnly):
    def build(self):
        x = self.head.pre.active_part.flat()
        self.trace = Buffer("x trace", x.axes, x.shape, "memory", "layer 3", self.network.dtype, lasts=True)

    def learn(self):
        yield from self.layer.hebbian()
        x = self.head.pre.active_part.flat()
        yield step(follow, "the trace follows", activity=x, trace=self.trace)
        yield from self.head.synapse.hebbian(self.trace, self.head.post.post)
