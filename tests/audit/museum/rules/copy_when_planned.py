"""When a plan is made, which also a restored checkpoint does, B becomes W."""

from lab import HeadOnly

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "F3"}


class Museum(HeadOnly):
    def outputs(self, phase):
        back, forward = self.back.synapse.weight, self.head.synapse.weight
        back.array[...] = forward.array
        return super().outputs(phase)
