"""As `copy_in_draw`, but only from the second epoch on: delayed by an epoch."""

from lab import Lab

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "B3|F3|B2"}


class Museum(Lab):
    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        if epoch > 0:
            for back in self.down:
                back.synapse.weight.array[...] = back.projection.synapse.weight.array
