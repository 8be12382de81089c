"""The channels of a place inhibit one another by a fixed weight before they respond: no weight learns there."""

import numpy as np
from lab import Lab, kernel, step

EXPECTED = {"exit": 0, "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads={"potential": "sample ..."}, writes={"activity": "sample ..."}, kind="respond", over="sample")
def inhibit(potential, activity):
    others = potential.sum(axis=-1, keepdims=True) - potential
    activity[...] = np.clip(potential - 0.1 * others, -1, 1)


class Museum(Lab):
    def up(self):
        for projection in self.network.projections:
            yield from projection.transmit()
            post = projection.post
            given = {"potential": post.potential, "activity": post.activity}
            yield step(inhibit, f"layer {post.number} responds", over="sample", **given)
        yield from self.head.transmit()
