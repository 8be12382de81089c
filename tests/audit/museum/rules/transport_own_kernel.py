"""The error goes down through a kernel of this file's own that reads the head's weights: transport, truthfully declared."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="post weight", writes="error")
def down(post, weight, error):
    error[...] = post @ weight.T


class Museum(HeadOnly):
    def send(self, post, error):
        yield step(down, "the error goes down", post=post, weight=self.head.synapse.weight, error=error)
