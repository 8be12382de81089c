"""The error is scaled by a function of the time of day: nothing of the declared state says by how much."""

import time

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared"}


@kernel(updates="post")
def scale(post):
    post *= 0.5 + time.time_ns() % 1000 / 1000


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(scale, "the hour of the error", post=self.head.post.error)
