"""Noise on the activity of layer 1, drawn between batches from a generator that seed, epoch and batch determine."""

import numpy as np
from lab import Lab, kernel, like, step

EXPECTED = {"exit": 0, "grade": "strictly local", "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads={"noise": "sample ..."}, updates={"activity": "sample ..."}, kind="respond", over="sample")
def disturb(noise, activity):
    activity += 0.1 * noise


class Museum(Lab):
    def build(self):
        self.noise = like(self.network.populations[1].activity, "noise1", "noise", given=True)

    def up(self):
        first, second = self.network.projections
        yield from first.transmit()
        yield from first.post.respond()
        yield step(disturb, "noise", over="sample", noise=self.noise, activity=first.post.activity)
        yield from second.transmit()
        yield from second.post.respond()
        yield from self.head.transmit()

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        rng = np.random.default_rng([self.network.seed, ord("N"), epoch, batch])
        self.noise.put(rng.normal(size=self.noise.shape))
