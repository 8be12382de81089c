"""Each batch delivers errors through half of the feedback's synapses, chosen by declared noise. Innocent."""

import numpy as np
from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 0}


@kernel(reads={"post": "sample unit", "weight": "below unit", "mask": "below unit"}, writes={"error": "sample below"})
def down(post, weight, mask, error):
    error[...] = post @ (weight * mask).T


class Museum(HeadOnly):
    def build(self):
        self.mask = like(self.back.synapse.weight, "released", "noise", given=True)

    def send(self, post, error):
        given = {"post": post, "weight": self.back.synapse.weight, "mask": self.mask}
        yield step(down, "the error goes down", error=error, **given)

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        rng = np.random.default_rng([self.network.seed, ord("R"), epoch, batch])
        self.mask.put(rng.random(self.mask.shape) < 0.5)
