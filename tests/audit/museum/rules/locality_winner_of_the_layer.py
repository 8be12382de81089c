"""Only the unit of the head with the largest error learns: a maximum over the layer decides for every synapse."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "H3|ez3"}


@kernel(updates="post", kind="gate")
def winner(post):
    size = np.abs(post) + 1e-3 * np.arange(post.shape[1])
    post *= size == size.max(axis=1, keepdims=True)


class Museum(HeadOnly):
    def learn(self):
        yield step(winner, "one wins", post=self.head.post.post)
        yield from super().learn()
