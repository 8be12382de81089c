"""Local for two batches; from the third on units of the head exchange their errors. The count is a declared memory."""

import numpy as np
from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "i", "says": "H3|ez3"}


@kernel(updates="post count", kind="gate")
def later(post, count):
    if count[0] > 1:
        post[...] = np.roll(post, 1, axis=1)
    count += 1


class Museum(HeadOnly):
    def build(self):
        self.count = Buffer("count", ("one",), (1,), "memory", "head", np.int64, lasts=True)

    def learn(self):
        yield step(later, "the head gates", post=self.head.post.post, count=self.count)
        yield from super().learn()
