"""The factor of layer 1 is pushed by the activity of layer 2, which no feedback delivered."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "W1|d1"}


@kernel(reads="other", updates="post", kind="gate")
def push(other, post):
    post += 0.3 * other


class Museum(Lab):
    def gate(self, units):
        yield from units.gate()
        if units is self.network.populations[1]:
            yield step(push, "layer 1 gates", other=self.network.populations[2].active_part, post=units.post)
