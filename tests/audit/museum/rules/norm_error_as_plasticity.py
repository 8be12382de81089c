"""As `norm_error_as_gate`, in a kernel that says it is a plasticity."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "ez3|H3|post"}


@kernel(updates="post", kind="plasticity")
def norm(post):
    post /= 1e-3 + np.abs(post).max(axis=1, keepdims=True)


class Museum(HeadOnly):
    def compare(self):
        yield from super().compare()
        yield step(norm, "consolidated", post=self.head.post.error)
