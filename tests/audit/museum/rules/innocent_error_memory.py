"""The error is smoothed over batches by a declared memory of each unit's own. Innocent."""

from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 0}


@kernel(updates={"post": "sample unit", "trace": "sample unit"}, kind="gate", over="sample")
def smooth(post, trace):
    trace *= 0.5
    trace += post
    post[...] = trace


class Museum(HeadOnly):
    def build(self):
        self.trace = like(self.head.post.error, "e trace", "memory", lasts=True)

    def compare(self):
        yield from super().compare()
        yield step(smooth, "smoothed", post=self.head.post.error, trace=self.trace)
