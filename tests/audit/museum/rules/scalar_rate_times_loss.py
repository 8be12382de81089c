"""The rate of every batch is multiplied by its loss: a reward that looks like a rate. Local but for one broadcast scalar."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 0, "grade": "local with a broadcast scalar"}


@kernel(reads="value", updates="change")
def rate(value, change):
    change *= 0.01 * value[0]


class Museum(HeadOnly):
    def learn(self):
        yield from super().learn()
        for synapse in (self.head.synapse, self.layer.synapse):
            yield step(rate, "the rate of this batch", value=self.error.value, change=synapse.change)
