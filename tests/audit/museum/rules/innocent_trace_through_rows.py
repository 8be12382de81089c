"""A trace of the presynaptic activity, which leaks from one moment of the batch to the next: no later moment is known."""

from lab import Lab, kernel, like, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 0, "grade": "local over a batch"}


@kernel(reads="activity", updates="trace", writes="smooth", kind="store")
def leak(activity, trace, smooth):
    for row, left in zip(activity, smooth, strict=True):
        trace *= trace.dtype.type(0.8)
        trace += trace.dtype.type(0.2) * row
        left[...] = trace


@kernel(reads="pre post", writes="change", kind="hebbian")
def outer(pre, post, change):
    change[...] = pre.T @ post


class Museum(Lab):
    def build(self):
        pre = self.head.pre.active_part.flat()
        sizes = ("presynaptic",), pre.shape[1:], "memory", pre.owner
        self.trace = Buffer("trace of x3", *sizes, pre.dtype, lasts=True)
        self.smooth = like(pre, "x3 smooth", "activity")

    def learn(self, projection):
        if projection is not self.head:
            yield from projection.hebbian()
            return
        pre = projection.pre.active_part.flat()
        yield step(leak, "a trace leaks", activity=pre, trace=self.trace, smooth=self.smooth)
        yield step(outer, "products", pre=self.smooth, post=projection.post.post, change=projection.synapse.change)
