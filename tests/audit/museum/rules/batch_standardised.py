"""The error of each head's unit is divided by its deviation over the batch: a division by what was computed."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "ii", "says": "ez3|post"}


@kernel(updates="post", kind="gate")
def standard(post):
    post -= post.mean(axis=0, keepdims=True)
    post /= 1e-3 + np.sqrt((post * post).mean(axis=0, keepdims=True))


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(standard, "standardised over the batch", post=self.head.post.error)
