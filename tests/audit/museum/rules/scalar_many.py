"""Not one broadcast number, but one for each unit, each made of all units' errors: a matrix in disguise, drawn at random."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "ez3|H3"}


@kernel(updates="post", kind="gate")
def mix(post):
    many = np.random.default_rng(4).normal(size=(post.shape[1], post.shape[1]))
    post[...] = post @ many.astype(np.float32)


class Museum(HeadOnly):
    def learn(self):
        yield step(mix, "the head gates", post=self.head.post.post)
        yield from super().learn()
