"""Of all synapses of the head one, the last but five, changes by another one's outer product."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "H3"}


@kernel(updates="change")
def swap(change):
    change[-2, 1] = 2 * change[3, 4]


class Museum(HeadOnly):
    def learn(self):
        yield from super().learn()
        yield step(swap, "one synapse", change=self.head.synapse.change)
