"""A kernel that is called a gate divides by the root of a sum, by the bits of a number."""

import numpy as np
from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "ii", "says": "bits read as"}


@kernel(updates="post", kind="gate")
def share(post):
    size = (1 + np.abs(post).sum(axis=1, keepdims=True)).astype(np.float32).view(np.int32)
    post *= (0x5F3759DF - (size >> 1)).view(np.float32)


class Museum(Lab):
    def gate(self, units):
        yield from super().gate(units)
        if units is self.head.post:
            yield step(share, "shared", post=units.post)
