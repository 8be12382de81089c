"""Layer 1's activity is added to layer 2's: a skip; its error goes back through fixed weights as layer 2's own. Innocent."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 0, "network": "5 hardtanh, 5 hardtanh"}


@kernel(reads={"more": "sample ..."}, updates={"activity": "sample ..."}, kind="respond", over="sample")
def add(more, activity):
    activity += 0.3 * more


class Museum(Lab):
    def up(self):
        first, second = self.network.projections
        yield from self.network.propagate()
        yield step(add, "a skip", over="sample", more=first.post.activity, activity=second.post.activity)
        yield from self.head.transmit()
