"""A saturating function of this file's own without any kind claimed for it."""

import numpy as np
from lab import Lab, kernel, step

EXPECTED = {"exit": 0, "grade": "strictly local", "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads="potential", writes="activity")
def squash(potential, activity):
    activity[...] = 1.7 * np.tanh(0.66 * potential)


@kernel(reads="activity error", writes="post")
def slope(activity, error, post):
    post[...] = 0.66 * (1.7 - activity * activity / 1.7) * error


class Museum(Lab):
    def up(self):
        for projection in self.network.projections:
            yield from projection.transmit()
            post = projection.post
            yield step(squash, f"layer {post.number} responds", potential=post.potential, activity=post.activity)
        yield from self.head.transmit()

    def gate(self, units):
        if units is not self.head.post:
            given = {"activity": units.active_part, "error": units.error, "post": units.post}
            yield step(slope, f"layer {units.number} gates", **given)
