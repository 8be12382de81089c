"""Only where an activity is above nearly all others, once in a hundred numbers, a unit learns by its neighbour's error."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "H3|ez3"}


@kernel(reads="activity", updates="post", kind="gate")
def rarely(activity, post):
    high = activity > np.quantile(np.asarray(activity), 0.95)
    post[...] = np.where(high, np.roll(post, 1, axis=1), post)


class Museum(HeadOnly):
    def learn(self):
        yield step(rarely, "the head gates", activity=self.head.post.active_part, post=self.head.post.post)
        yield from super().learn()
