"""Changes of the head are multiplied by the inverse of the presynaptic correlations: pre of one synapse in all others."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "H3"}


@kernel(reads="pre", updates="change")
def whiten(pre, change):
    pre = np.asarray(pre)
    change[...] = np.linalg.solve(pre.T @ pre + np.eye(pre.shape[1]), np.asarray(change))


class Museum(HeadOnly):
    def learn(self):
        yield from super().learn()
        pre = self.layer.post.active_part.flat()
        yield step(whiten, "natural", pre=pre, change=self.head.synapse.change)
