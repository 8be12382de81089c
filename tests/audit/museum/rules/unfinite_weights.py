"""A step that grows: weights become infinite after some batches, and then every sum is; nothing can be said of it."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 3, "says": "infinite.*finite"}


@kernel(updates="weight", kind="plasticity")
def grow(weight):
    weight *= 1e15


class Museum(Lab):
    def end(self):
        yield step(grow, "W1 grows", weight=self.learners[-1].synapse.weight)
