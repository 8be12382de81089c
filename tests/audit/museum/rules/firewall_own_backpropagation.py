"""A kernel that says it is layer 3's response runs back-propagation inside, and hands the error out as an activity."""

import numpy as np
from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="activity weight", writes="again", kind="respond")
def respond(activity, weight, again):
    z = activity @ weight
    half = len(z) // 2
    again[...] = np.sign(z[half:] - z[:half]) @ weight.T


@kernel(reads="again", writes="error", kind="gate")
def take(again, error):
    error[...] = again


class Museum(HeadOnly):
    def build(self):
        error = self.layer.post.error.flat()
        self.again = Buffer("x3 again", error.axes, error.shape, "activity", "layer 3", self.network.dtype)

    def send(self, post, error):
        given = {"activity": self.layer.post.activity.flat(), "weight": self.head.synapse.weight}
        yield step(respond, "layer 3 responds", again=self.again, **given)
        yield step(take, "taken", again=self.again, error=error)
