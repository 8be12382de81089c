"""Softplus units; their gate is computed from the potential: the logistic function of it."""

import numpy as np
from lab import Lab, kernel, like, step

EXPECTED = {"exit": 0, "grade": "strictly local", "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads="potential", writes="activity slope", kind="respond")
def softplus(potential, activity, slope):
    activity[...] = np.log1p(np.exp(potential))
    slope[...] = 1 / (1 + np.exp(-potential))


@kernel(reads="slope error", writes="post", kind="gate")
def gate(slope, error, post):
    post[...] = slope * error


class Museum(Lab):
    def build(self):
        layers = self.network.populations[1:]
        self.slopes = {units: like(units.activity, f"s{units.number}", "gate") for units in layers}

    def up(self):
        for projection in self.network.projections:
            yield from projection.transmit()
            post = projection.post
            given = {"potential": post.potential, "activity": post.activity, "slope": self.slopes[post]}
            yield step(softplus, f"layer {post.number} responds", **given)
        yield from self.head.transmit()

    def gate(self, units):
        if units is not self.head.post:
            slope = self.slopes[units].part(f"s{units.number} of view 2", units.learning, units.views)
            yield step(gate, f"layer {units.number} gates", slope=slope, error=units.error, post=units.post)
