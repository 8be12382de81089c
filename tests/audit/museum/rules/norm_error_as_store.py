"""As `norm_error_as_gate`, in a kernel that says it stores in a memory."""

import numpy as np
from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "ez3|memory"}


@kernel(reads="post", writes="trace", kind="store")
def store(post, trace):
    trace[...] = post / (1e-3 + np.sqrt((post * post).sum(axis=1, keepdims=True)))


@kernel(reads="trace", writes="post", kind="gate")
def recall(trace, post):
    post[...] = trace


class Museum(HeadOnly):
    def build(self):
        self.trace = like(self.head.post.error, "memory of e", "memory", "head 3", lasts=True)

    def compare(self):
        yield from super().compare()
        yield step(store, "stored", post=self.head.post.error, trace=self.trace)
        yield step(recall, "recalled", trace=self.trace, post=self.head.post.error)
