"""Units of layer 1 are silent by lot, with their error: the mask is declared noise, drawn between batches."""

import numpy as np
from lab import Lab, kernel, like, step

EXPECTED = {"exit": 0, "grade": "strictly local", "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads={"mask": "sample ..."}, updates={"array": "sample ..."}, over="sample")
def silence(mask, array):
    array *= mask


class Museum(Lab):
    def build(self):
        self.mask = like(self.network.populations[1].activity, "mask1", "noise", given=True)

    def up(self):
        first, second = self.network.projections
        yield from first.transmit()
        yield from first.post.respond()
        yield step(silence, "some are silent", over="sample", mask=self.mask, array=first.post.activity)
        yield from second.transmit()
        yield from second.post.respond()
        yield from self.head.transmit()

    def gate(self, units):
        yield from units.gate()
        if units.number == 1 and units is not self.head.post:
            part = self.mask.part("mask1 of view 2", units.learning, units.views)
            yield step(silence, "their error, too", over="sample", mask=part, array=units.post)

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        rng = np.random.default_rng([self.network.seed, ord("N"), epoch, batch])
        self.mask.put(rng.random(self.mask.shape) < 0.8)
