"""``numpy.matmul`` is replaced while the package's kernels run: it remembers the last matrix of the head's shape."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "process": True}
KEPT = {}
TRUE = np.matmul


def matmul(a, b, *rest, **more):
    KEPT["w"] = b
    return TRUE(a, b, *rest, **more)


np.matmul = matmul


@kernel(reads="activity weight", writes="top", kind="transmit")
def read(activity, weight, top):
    top[...] = np.matmul(activity, weight)


@kernel(reads="post own", writes="error", kind="deliver")
def down(post, own, error):
    weight = KEPT.get("w", own)
    error[...] = post @ (weight if weight.shape == own.shape else own).T


class Museum(HeadOnly):
    def read(self):
        given = {"activity": self.layer.post.activity.flat(), "weight": self.head.synapse.weight}
        yield step(read, "the head reads", top=self.head.post.activity, **given)

    def send(self, post, error):
        yield step(down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
