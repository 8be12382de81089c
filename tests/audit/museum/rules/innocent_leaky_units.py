"""Units of layer 1 leak: part of the potential of the last batch's same row is still there. A declared memory."""

import numpy as np
from lab import Lab, kernel, like, step

EXPECTED = {"exit": 0, "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads={"potential": "sample ..."}, updates={"voltage": "sample ..."}, writes={"activity": "sample ..."})
def leak(potential, voltage, activity):
    voltage *= 0.7
    voltage += potential
    activity[...] = np.clip(voltage, -1, 1)


class Museum(Lab):
    def build(self):
        self.voltage = like(self.network.populations[1].activity, "v1", "memory", lasts=True)

    def up(self):
        first, second = self.network.projections
        yield from first.transmit()
        given = {"potential": first.post.potential, "activity": first.post.activity}
        yield step(leak, "layer 1 leaks and responds", voltage=self.voltage, **given)
        yield from second.transmit()
        yield from second.post.respond()
        yield from self.head.transmit()
