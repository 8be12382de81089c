"""Forward-forward: each moment's factor is its own activity, turned by whether the layer as a whole is active enough (L1)."""

import numpy as np
from lab import kernel, step

from neurosim.rules import Rule

EXPECTED = {"exit": 0, "grade": "local with a broadcast scalar"}


@kernel(reads="activity", writes="post")
def good(activity, post):
    goodness = np.abs(activity).sum(axis=1, keepdims=True)
    post[...] = np.where(goodness > 2, np.sign(activity), -np.sign(activity))


class Museum(Rule):
    name = "forward-forward"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases, self.head = ("head",), network.head(len(network))

    def wire(self, phase):
        yield from self.network.propagate()
        yield from self.head.transmit()
        yield step(good, "good or not", activity=self.head.post.active_part, post=self.head.post.post)
        yield from self.head.hebbian()
        yield from self.head.apply_update()
