"""B is a buffer of its own name and role that shows the memory of W."""

from lab import HeadOnly, like

EXPECTED = {"exit": 1, "condition": "declared iii", "says": "H3"}


class Museum(HeadOnly):
    def build(self):
        own = like(self.back.synapse.weight, "F3", lasts=True)
        own._array = self.head.synapse.weight.array
        self.back.synapse.weight = own
