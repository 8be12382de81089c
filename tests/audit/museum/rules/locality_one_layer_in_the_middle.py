"""In layer 2 alone a channel's factor is that of the channel before."""

import numpy as np
from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "W2|d2"}


@kernel(updates="post", kind="gate")
def shift(post):
    post[...] = np.roll(post, 1, axis=-1)


class Museum(Lab):
    def learn(self, projection):
        if projection is self.network.projections[1]:
            yield step(shift, "layer 2 gates", post=projection.post.post)
        yield from projection.hebbian()
