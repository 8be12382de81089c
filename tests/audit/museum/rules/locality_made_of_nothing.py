"""The head's change is a table of this file's: it moves with no activity, no error, no weight, whatever it reads."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "H3"}


@kernel(reads="pre post", writes="change", kind="hebbian")
def drift(pre, post, change):
    change[...] = np.cos(np.arange(change.size)).reshape(change.shape)


class Museum(HeadOnly):
    def learn(self):
        yield from self.layer.hebbian()
        given = {"pre": self.head.pre.active_part.flat(), "post": self.head.post.post}
        yield step(drift, "drift", change=self.head.synapse.change, **given)
