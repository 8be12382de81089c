"""Two thirds of the feedback's synapses do not exist: fixed zeros. Innocent."""

from lab import HeadOnly, signs

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(HeadOnly):
    def build(self):
        shape = self.back.synapse.shape
        self.back.synapse.weight.array[(signs(shape, 1) > 0) | (signs(shape, 2) > 0)] = 0
