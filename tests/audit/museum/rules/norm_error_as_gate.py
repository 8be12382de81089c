"""The error is divided by its length over the units of the head, in a kernel that says it is a gate."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "ez3|post|gated|compared"}


@kernel(updates="post", kind="gate")
def norm(post):
    post /= 1e-3 + np.sqrt((post * post).sum(axis=1, keepdims=True))


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(norm, "gated", post=self.head.post.error)
