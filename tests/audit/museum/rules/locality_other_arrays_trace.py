"""Layer 2 changes by the trace of layer 3's outer products."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "W2"}


@kernel(reads="trace", updates="weight", kind="plasticity")
def follow(trace, weight):
    weight -= 0.01 * trace


class Museum(Lab):
    def end(self):
        second, third = self.network.projections[1:]
        (trace,) = third.synapse.state.values()
        yield step(follow, "W2 follows W3's trace", trace=trace, weight=second.synapse.weight)
