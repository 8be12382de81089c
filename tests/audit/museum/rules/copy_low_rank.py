"""The head's feedback is the best approximation of rank 2 of the head: less than W, and made of W."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3.*F3"}


@kernel(reads="weight", writes="sent")
def follow(weight, sent):
    u, s, v = np.linalg.svd(np.asarray(weight), full_matrices=False)
    sent[...] = (u[:, :2] * s[:2]) @ v[:2]


class Museum(HeadOnly):
    def send(self, post, error):
        yield step(follow, "F follows H", weight=self.head.synapse.weight, sent=self.back.synapse.weight)
        yield from self.back.deliver()
