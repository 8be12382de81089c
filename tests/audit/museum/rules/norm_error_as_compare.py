"""As `norm_error_as_gate`, in a kernel that says it compares."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "ez3|post|gated|compared"}


@kernel(updates="post", kind="compare")
def norm(post):
    post /= 1e-3 + np.abs(post).sum(axis=1, keepdims=True)


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(norm, "compared", post=self.head.post.error)
