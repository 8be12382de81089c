"""The seed of the global generator is made of W's bits, and B drawn from it: nothing of W, and a change with every W."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="weight", writes="sent")
def draw(weight, sent):
    seed = int(np.abs(np.asarray(weight)).sum() * 1e6) % 2**31
    sent[...] = np.random.default_rng(seed).normal(size=sent.shape)


class Museum(HeadOnly):
    def send(self, post, error):
        yield step(draw, "F is drawn anew", weight=self.head.synapse.weight, sent=self.back.synapse.weight)
        yield from self.back.deliver()
