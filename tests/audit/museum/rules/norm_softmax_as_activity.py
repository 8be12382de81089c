"""A softmax over the head's units is called the activity that is compared with: the error is ``softmax(z2) - z1``."""

import numpy as np
from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "ez3|softmax"}


@kernel(reads="potential", writes="activity", kind="respond")
def softmax(potential, activity):
    high = np.exp(potential - potential.max(axis=1, keepdims=True))
    activity[...] = high / high.sum(axis=1, keepdims=True)


@kernel(reads="activity view1", writes="error", sums="value", kind="compare")
def differ(activity, view1, error, value):
    half = len(activity) // 2
    error[...] = activity[half:] - view1
    value[0] += np.abs(error).sum()


class Museum(HeadOnly):
    def build(self):
        self.false = like(self.head.post.activity, "softmax z3", "activity", "head 3")

    def compare(self):
        units = self.error
        yield step(softmax, "units respond", potential=self.head.post.activity, activity=self.false)
        given = {"activity": self.false, "view1": units.view1, "error": units.error2, "value": units.value}
        yield step(differ, "compared", **given)
