"""Restoring a checkpoint asks a rule for its synapses; from the third time on that copies W into B."""

from lab import HeadOnly

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "F3"}


class Museum(HeadOnly):
    asked = 0

    def synapses(self):
        self.asked += 1
        if self.asked > 2:
            self.back.synapse.weight.array[...] = self.head.synapse.weight.array
        return super().synapses()
