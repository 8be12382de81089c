"""Between batches, where nothing but random numbers should be drawn, W is copied into B."""

from lab import Lab

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "B3|F3|B2"}


class Museum(Lab):
    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        for back in self.down:
            back.synapse.weight.array[...] = back.projection.synapse.weight.array
