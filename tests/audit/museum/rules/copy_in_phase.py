"""When it is asked which phase a batch trains, W is copied into B."""

from lab import Lab

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "B3|F3|B2"}


class Museum(Lab):
    def phase(self, epoch, batch, asked):
        for back in self.down:
            back.synapse.weight.array[...] = back.projection.synapse.weight.array
        return self.phases[0]
