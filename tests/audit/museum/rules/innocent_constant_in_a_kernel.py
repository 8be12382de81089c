"""A kernel multiplies the error by a table of constants, one for each unit, that stands in the file. Innocent."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 0, "grade": "strictly local"}
TABLE = np.linspace(0.5, 1.5, 64, dtype=np.float32)


@kernel(updates={"post": "sample unit"}, kind="gate", over="sample")
def weigh(post):
    post *= TABLE[: post.shape[1]]


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(weigh, "weighed", over="sample", post=self.head.post.error)
