"""The changes of the head are handed out in order of their size: the largest to the first synapse."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "H3"}


@kernel(updates="change", kind="plasticity")
def sort(change):
    change[...] = np.sort(change, axis=0)


class Museum(HeadOnly):
    def learn(self):
        yield from super().learn()
        yield step(sort, "sorted", change=self.head.synapse.change)
