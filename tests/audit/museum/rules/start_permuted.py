"""F starts as H with its units in another order, and the error is put into that order before it goes down."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="post weight", writes="error", kind="deliver")
def down(post, weight, error):
    error[...] = post[:, ::-1] @ weight.T


class Museum(HeadOnly):
    def build(self):
        self.back.synapse.weight.array[...] = np.flip(self.head.synapse.weight.array, axis=1)

    def send(self, post, error):
        yield step(down, "the error goes down", post=post, weight=self.back.synapse.weight, error=error)
