"""B starts as -W, and the error is turned round before it goes down: twice minus is plus."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="post weight", writes="error", kind="deliver")
def down(post, weight, error):
    error[...] = -(post @ weight.T)


class Museum(HeadOnly):
    def build(self):
        self.back.synapse.weight.array[...] = -self.head.synapse.weight.array

    def send(self, post, error):
        yield step(down, "the error goes down", post=post, weight=self.back.synapse.weight, error=error)
