"""When it is asked how far the schedule has come, W is copied into B."""

from lab import Lab

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "B3|F3|B2"}


class Museum(Lab):
    def progress(self, epoch, part, asked):
        for back in self.down:
            back.synapse.weight.array[...] += 0.1 * back.projection.synapse.weight.array
        return super().progress(epoch, part, asked)
