"""Each moment's factor is multiplied with the activity below of the moment before: pre and post of different times."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "H3|ez3|before|later|moment"}


@kernel(updates="post", kind="gate")
def later(post):
    post[...] = np.roll(post, -1, axis=0)


class Museum(HeadOnly):
    def learn(self):
        yield step(later, "the head gates", post=self.head.post.post)
        yield from super().learn()
