"""Noise from NumPy's global generator in a kernel: the same declared state gives other bits. Not declared, whatever it does."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared", "says": "verdict: violated declared: step"}


@kernel(updates="post")
def disturb(post):
    post += 0.1 * np.random.standard_normal(post.shape)  # noqa: NPY002 - the point


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(disturb, "noise on the error", post=self.head.post.error)
