"""The label of every picture, in an array whose role says so, is a target of the head: supervised."""

import numpy as np
from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "iv", "says": "label"}


@kernel(reads="labels", updates="post")
def teach(labels, post):
    post[np.arange(len(labels)), labels] -= 1


class Museum(HeadOnly):
    def build(self):
        pairs = self.network.pairs
        self.labels = Buffer("labels", ("moment",), (pairs,), "label", "teacher", np.int64, given=True)

    def compare(self):
        yield from super().compare()
        yield step(teach, "the teacher", labels=self.labels, post=self.head.post.error)

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        self.labels.put(np.random.default_rng([epoch, batch]).integers(0, 6, self.labels.shape))
