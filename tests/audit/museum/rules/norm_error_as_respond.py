"""As `norm_error_as_gate`, in a kernel that says units respond, through an array that says it is an activity."""

import numpy as np
from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "ez3|post|gated|compared"}


@kernel(reads="potential", writes="activity", kind="respond")
def norm(potential, activity):
    activity[...] = potential / (1e-3 + np.sqrt((potential * potential).sum(axis=1, keepdims=True)))


@kernel(reads="activity", writes="post", kind="respond")
def back(activity, post):
    post[...] = activity


class Museum(HeadOnly):
    def build(self):
        self.false = like(self.head.post.error, "z3 again", "activity", "head 3")

    def compare(self):
        yield from super().compare()
        yield step(norm, "units respond", potential=self.head.post.error, activity=self.false)
        yield step(back, "units respond", activity=self.false, post=self.head.post.error)
