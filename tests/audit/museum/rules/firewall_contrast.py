"""All of a contrastive softmax loss (NT-Xent) in one kernel that says it is how units respond."""

import numpy as np
from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "ez3|again"}


@kernel(reads="potential", writes="activity", kind="respond")
def respond(potential, activity):
    z = potential / np.sqrt((potential * potential).sum(axis=1, keepdims=True) + 1e-6)
    alike = np.exp(z @ z.T / 0.5) * (1 - np.eye(len(z)))
    share = alike / alike.sum(axis=1, keepdims=True)
    activity[...] = share @ z - np.roll(z, len(z) // 2, axis=0)


@kernel(reads="activity", writes="error", sums="value", kind="compare")
def take(activity, error, value):
    error[...] = activity[len(activity) // 2 :]
    value[0] += 1


class Museum(HeadOnly):
    def build(self):
        self.again = like(self.head.post.activity, "z3 again", "activity", "head 3")

    def compare(self):
        yield step(respond, "the head responds", potential=self.head.post.activity, activity=self.again)
        given = {"error": self.error.error2, "value": self.error.value}
        yield step(take, "compared", activity=self.again, **given)
