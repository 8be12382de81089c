"""Every unit of the head learns by the error of the unit beside it."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "H3|ez3"}


@kernel(updates="post", kind="gate")
def shift(post):
    post[...] = np.roll(post, 1, axis=1)


class Museum(HeadOnly):
    def learn(self):
        yield step(shift, "the head gates", post=self.head.post.post)
        yield from super().learn()
