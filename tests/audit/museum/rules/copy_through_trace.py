"""W goes into an array called a plasticity's trace of B, and from there into B."""

from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3.*F3"}


@kernel(reads="weight", updates="trace")
def follow(weight, trace):
    trace[...] = 0.5 * trace + 0.5 * weight


@kernel(reads="trace", updates="weight", kind="plasticity")
def consolidate(trace, weight):
    weight += 0.1 * (trace - weight)


class Museum(HeadOnly):
    def build(self):
        self.trace = like(self.back.synapse.weight, "trace F3", "plasticity", "F3", lasts=True)

    def send(self, post, error):
        yield from self.back.deliver()
        yield step(follow, "the trace follows", weight=self.head.synapse.weight, trace=self.trace)
        yield step(consolidate, "F3 changes", trace=self.trace, weight=self.back.synapse.weight)
