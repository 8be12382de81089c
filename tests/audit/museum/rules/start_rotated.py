"""F starts as the head's weights with their units mixed by a rotation, and the error is mixed by the same one before."""

import numpy as np
from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "iii i", "says": "H3|ez3|mixed"}


def rotation(units):
    return np.linalg.qr(np.random.default_rng(6).normal(size=(units, units)))[0].astype(np.float32)


@kernel(reads={"post": "sample unit"}, writes={"mixed": "sample unit"})
def mix(post, mixed):
    mixed[...] = post @ rotation(post.shape[1])


@kernel(reads="post weight", writes="error", kind="deliver")
def down(post, weight, error):
    error[...] = post @ weight.T


class Museum(HeadOnly):
    def build(self):
        units = self.network.head_units
        self.back.synapse.weight.array[...] = self.head.synapse.weight.array @ rotation(units)
        self.mixed = like(self.head.post.error, "mixed", "error")

    def send(self, post, error):
        yield step(mix, "mixed", post=post, mixed=self.mixed)
        yield step(down, "the error goes down", post=self.mixed, weight=self.back.synapse.weight, error=error)
