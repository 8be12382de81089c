"""A generator that was started in the constructor hands W out, a batch late."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|the error goes down|down"}


def late(weight):
    last = weight.copy()
    while True:
        yield last
        last = weight.copy()


class Museum(HeadOnly):
    def build(self):
        weights = late(self.head.synapse.weight.array)

        @kernel(reads="post own", writes="error", kind="deliver")
        def down(post, own, error):
            error[...] = post @ (own + next(weights)).T

        self.own_down = down

    def send(self, post, error):
        yield step(self.own_down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
