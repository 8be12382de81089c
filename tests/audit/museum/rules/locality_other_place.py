"""The factor at a place of layer 2 is that of the place beside it."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "W2|d2", "network": "5 hardtanh, 4 hardtanh"}


@kernel(updates="post", kind="gate")
def move(post):
    post[...] = np.roll(post, 1, axis=2)


class Museum(HeadOnly):
    def gate(self):
        yield from super().gate()
        yield step(move, "layer 2 gates", post=self.layer.post.post)
