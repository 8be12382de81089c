"""The head's change is by a leaky trace of what its presynaptic units did, not by what they do now."""

from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 0}


@kernel(reads={"activity": "sample unit"}, updates={"trace": "sample unit"}, kind="store", over="sample")
def follow(activity, trace):
    trace *= 0.5
    trace += activity


class Museum(HeadOnly):
    def build(self):
        x = self.head.pre.active_part.flat()
        self.trace = Buffer("x trace", x.axes, x.shape, "memory", "layer 3", self.network.dtype, lasts=True)

    def wire(self, phase):
        for each in super().wire(phase):
            if self.head.synapse.change in each.changed.values():
                x = self.head.pre.active_part.flat()
                yield step(follow, "the trace follows", activity=x, trace=self.trace)
                yield from self.head.synapse.hebbian(self.trace, self.head.post.post)
            else:
                yield each
