"""When heads are matched, before the first batch, the head's feedback becomes the head."""

from lab import HeadOnly

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "F3"}


class Museum(HeadOnly):
    def build(self):
        synapse, back = self.head.synapse, self.back.synapse

        def rescale(gain):
            type(synapse).rescale(synapse, gain)
            back.weight.array[...] = synapse.weight.array

        synapse.rescale = rescale
        synapse.weight.array[...] *= 3.0  # so that heads need to be matched
        rescale(1.0)
