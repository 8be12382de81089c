"""Lateral weights of layer 1, anti-Hebbian, make its channels differ (Foldiak 1990); they move activity within one layer."""

import numpy as np
from lab import Lab, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 0, "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads="potential lateral", writes="activity", kind="respond")
def inhibit(potential, lateral, activity):
    activity[...] = np.clip(potential - potential @ lateral, -1, 1)


@kernel(reads="activity", updates="lateral", kind="plasticity")
def part(activity, lateral):
    flat = activity.reshape(-1, activity.shape[-1])
    lateral += 0.001 * (flat.T @ flat)


class Museum(Lab):
    def build(self):
        units = self.network.populations[1].shape[2]
        axes, shape = ("presynaptic", "postsynaptic"), (units, units)
        self.lateral = Buffer("L1", axes, shape, "forward weight", "layer 1", self.network.dtype, lasts=True)

    def up(self):
        for projection in self.network.projections:
            yield from projection.transmit()
            post = projection.post
            if post.number == 1:
                given = {"potential": post.potential, "lateral": self.lateral, "activity": post.activity}
                yield step(inhibit, "layer 1 responds", **given)
            else:
                yield from post.respond()
        yield from self.head.transmit()

    def end(self):
        yield step(part, "L1 changes", activity=self.network.populations[1].activity, lateral=self.lateral)
