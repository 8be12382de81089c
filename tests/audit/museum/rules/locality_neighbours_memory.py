"""What the neighbour's error was a batch ago lies in a unit's declared memory, and adds to its own."""

import numpy as np
from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "i", "says": "H3|ez3|memory"}


@kernel(updates="post memory", kind="gate")
def remember(post, memory):
    now = post + 0.5 * memory
    memory[...] = np.roll(post, 1, axis=1)
    post[...] = now


class Museum(HeadOnly):
    def build(self):
        self.memory = like(self.head.post.error, "memory of e", "memory", lasts=True)

    def learn(self):
        yield step(remember, "the head gates", post=self.head.post.post, memory=self.memory)
        yield from super().learn()
