"""When a batch's error units are listed, as after every batch, W is copied into B."""

from lab import Lab

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "B3|F3|B2"}


class Museum(Lab):
    wired = False

    def errors_of(self, phase):
        if self.wired:
            for back in self.down:
                back.synapse.weight.array[...] = back.projection.synapse.weight.array
        return super().errors_of(phase)

    def wire(self, phase):
        yield from super().wire(phase)
        self.wired = True
