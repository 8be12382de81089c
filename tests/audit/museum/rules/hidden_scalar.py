"""A scalar of the sending step is no number, but the buffer of W."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|the error goes down|down|gain"}


@kernel(reads="post own", writes="error", kind="deliver")
def down(post, own, error, *, gain):
    error[...] = post @ (own + gain.array).T


class Museum(HeadOnly):
    def send(self, post, error):
        given = {"own": self.back.synapse.weight, "gain": self.head.synapse.weight}
        yield step(down, "the error goes down", post=post, error=error, **given)
