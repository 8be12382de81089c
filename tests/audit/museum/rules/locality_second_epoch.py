"""Local in the first epoch; in the second a declared switch, set between batches, lets the head's units exchange errors."""

import numpy as np
from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "i", "says": "H3|ez3|switch"}


@kernel(reads="switch", updates="post", kind="gate")
def later(switch, post):
    post[...] = np.where(switch[0] > 0, np.roll(post, 1, axis=1), post)


class Museum(HeadOnly):
    def build(self):
        self.switch = Buffer("switch", ("one",), (1,), "value", "head", np.int64, given=True)

    def learn(self):
        yield step(later, "the head gates", switch=self.switch, post=self.head.post.post)
        yield from super().learn()

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        self.switch.put(epoch > 0)
