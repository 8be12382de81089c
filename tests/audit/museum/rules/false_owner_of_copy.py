"""B's array says that it belongs to the head; its copy of W is said to be the head's own business."""

from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="weight", writes="copy", kind="store")
def keep(weight, copy):
    copy[...] = weight


@kernel(reads="post copy", writes="error", kind="deliver")
def down(post, copy, error):
    error[...] = post @ copy.T


class Museum(HeadOnly):
    def build(self):
        self.copy = like(self.head.synapse.weight, "H3 at rest", "forward weight", "H3", lasts=True)

    def send(self, post, error):
        yield step(down, "down", post=post, copy=self.copy, error=error)
        yield step(keep, "kept", weight=self.head.synapse.weight, copy=self.copy)
