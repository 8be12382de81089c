"""The broadcast number is the length of the head's weights: weights of one array in the change of another, as one number."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i iii", "says": "H3.*W3"}


@kernel(reads="weight", updates="change")
def rate(weight, change):
    change *= np.abs(weight).sum() - 10


class Museum(HeadOnly):
    def learn(self):
        yield from super().learn()
        given = {"weight": self.head.synapse.weight, "change": self.layer.synapse.change}
        yield step(rate, "the rate of this batch", **given)
