"""Positive and negative errors are carried by two populations of their own, as spikes cannot be negative. Innocent."""

import numpy as np
from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 0}


@kernel(reads={"error": "sample unit"}, writes={"plus": "sample unit", "minus": "sample unit"}, kind="gate")
def halve(error, plus, minus):
    plus[...] = np.maximum(error, 0)
    minus[...] = np.maximum(-error, 0)


@kernel(reads={"plus": "sample unit", "minus": "sample unit"}, writes={"error": "sample unit"}, kind="gate")
def join(plus, minus, error):
    error[...] = plus - minus


class Museum(HeadOnly):
    def build(self):
        error = self.head.post.error
        self.plus, self.minus = like(error, "e+"), like(error, "e-")

    def compare(self):
        yield from super().compare()
        both = {"plus": self.plus, "minus": self.minus}
        yield step(halve, "two populations", error=self.head.post.error, **both)
        yield step(join, "what both say", error=self.head.post.error, **both)
