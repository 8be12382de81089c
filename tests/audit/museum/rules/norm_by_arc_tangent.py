"""A kernel that is called a gate divides by the sum of sizes, as the tangent of an arc."""

import numpy as np
from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "ii", "says": "nonlinear function of a sum"}


@kernel(updates="post", kind="gate")
def share(post):
    post[...] = np.tan(np.arctan2(post, 1 + np.abs(post).sum(axis=1, keepdims=True)))


class Museum(Lab):
    def gate(self, units):
        yield from super().gate(units)
        if units is self.head.post:
            yield step(share, "shared", post=units.post)
