"""Layer 3 is pushed by its mean activity over all places of a channel: a unit's factor knows all places."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "W2|d2", "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads="activity", updates="post", kind="gate")
def push(activity, post):
    post += activity.mean(axis=(1, 2), keepdims=True)


class Museum(HeadOnly):
    def gate(self):
        yield from super().gate()
        yield step(push, "pushed", activity=self.layer.post.active_part, post=self.layer.post.post)
