"""When figures are collected after a batch, W is copied into B."""

from lab import Lab

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "B3|F3|B2"}


class Museum(Lab):
    calls = 0

    def figures(self):
        self.calls += 1
        if self.calls > 2:  # a plan asks, too, before anything is trained
            for back in self.down:
                back.synapse.weight.array[...] = back.projection.synapse.weight.array
        return {}
