"""A kernel asks for memory until there is none."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 3, "process": True, "options": ["--timeout", "20"]}
HELD = []


@kernel(updates="post")
def hoard(post):
    while True:
        HELD.append(np.empty(2**31, np.uint8))  # never touched: a limit counts it, the machine need not give it


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(hoard, "more", post=self.head.post.error)
