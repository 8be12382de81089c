"""Units that respond by a logistic function of this file's own, and gate their error by its slope."""

import numpy as np
from lab import Lab, kernel, step

EXPECTED = {"exit": 0, "grade": "strictly local", "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads={"potential": "sample ..."}, writes={"activity": "sample ..."}, kind="respond", over="sample")
def sigmoid(potential, activity):
    activity[...] = 1 / (1 + np.exp(-potential))


@kernel(
    reads={"activity": "sample ...", "error": "sample ..."}, writes={"post": "sample ..."}, kind="gate", over="sample"
)
def slope(activity, error, post):
    post[...] = activity * (1 - activity) * error


class Museum(Lab):
    def up(self):
        for projection in self.network.projections:
            yield from projection.transmit()
            post = projection.post
            yield step(sigmoid, f"layer {post.number} responds", potential=post.potential, activity=post.activity)
        yield from self.head.transmit()

    def gate(self, units):
        if units is not self.head.post:
            given = {"activity": units.active_part, "error": units.error, "post": units.post}
            yield step(slope, f"layer {units.number} gates", **given)
