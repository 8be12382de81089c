"""Every unit of layer 1 has a threshold that rises while it is active: a memory of its own, and no other's."""

import numpy as np
from lab import Lab, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 0, "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads="potential theta", writes="activity", kind="respond")
def respond(potential, theta, activity):
    activity[...] = np.clip(potential - theta, 0, 1)


@kernel(reads="activity", updates="theta", kind="store")
def adapt(activity, theta):
    for row in activity:
        theta += 0.05 * (row - theta)


@kernel(reads="activity error", writes="post", kind="gate")
def gate(activity, error, post):
    post[...] = np.where((activity > 0) & (activity < 1), error, 0)


class Museum(Lab):
    def build(self):
        shape = self.network.populations[1].shape
        axes = ("row", "column", "channel")
        self.theta = Buffer("threshold", axes, shape, "memory", "layer 1", self.network.dtype, lasts=True)

    def up(self):
        first, second = self.network.projections
        yield from first.transmit()
        given = {"potential": first.post.potential, "activity": first.post.activity}
        yield step(respond, "layer 1 responds", theta=self.theta, **given)
        yield from second.transmit()
        yield from second.post.respond()
        yield from self.head.transmit()

    def gate(self, units):
        if units is self.network.populations[1]:
            given = {"activity": units.active_part, "error": units.error, "post": units.post}
            yield step(gate, "layer 1 gates", **given)
        else:
            yield from units.gate()

    def end(self):
        yield step(adapt, "thresholds adapt", activity=self.network.populations[1].activity, theta=self.theta)
