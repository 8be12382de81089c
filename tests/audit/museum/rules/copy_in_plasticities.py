"""When the plasticities are listed, as at every batch, W is copied into B."""

from lab import Lab

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "B3|F3|B2"}


class Museum(Lab):
    def plasticities(self):
        for back in self.down:
            back.synapse.weight.array[...] = -back.projection.synapse.weight.array
        return super().plasticities()
