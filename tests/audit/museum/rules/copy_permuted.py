"""At every batch F is the head with its units in another order; the error is put into that order before it goes down."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="weight", writes="sent")
def follow(weight, sent):
    sent[...] = np.roll(weight, 5, axis=1)


@kernel(reads="post weight", writes="error", kind="deliver")
def down(post, weight, error):
    error[...] = np.roll(post, 5, axis=1) @ weight.T


class Museum(HeadOnly):
    def send(self, post, error):
        sent = self.back.synapse.weight
        yield step(follow, "F follows", weight=self.head.synapse.weight, sent=sent)
        yield step(down, "the error goes down", post=post, weight=sent, error=error)
