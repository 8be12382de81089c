"""The array of W is a default argument of a helper that the sending kernel calls."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|the error goes down|down"}


class Museum(HeadOnly):
    def build(self):
        def through(post, weight=self.head.synapse.weight.array):
            return post @ weight.T

        @kernel(reads="post own", writes="error", kind="deliver")
        def down(post, own, error):
            error[...] = through(post) + 0.001 * (post @ own.T)

        self.own_down = down

    def send(self, post, error):
        yield step(self.own_down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
