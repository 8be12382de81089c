"""Layer 1 learns with the activity of layer 3, in an array that says it belongs to layer 1."""

from lab import Lab, kernel, like, step

EXPECTED = {"exit": 1, "condition": "i", "says": "W1|e1|d1"}


@kernel(reads="activity", writes="false")
def respond(activity, false):
    false[...] = activity


@kernel(reads="false", updates="post", kind="gate")
def push(false, post):
    post += 0.3 * false


class Museum(Lab):
    def build(self):
        self.one, self.two = self.network.populations[1:3]
        self.false = like(self.one.active_part, "x1 again", "activity", "layer 1")

    def gate(self, units):
        yield from units.gate()
        if units is self.one:
            yield step(respond, "layer 1 responds", activity=self.two.active_part, false=self.false)
            yield step(push, "layer 1 gates", false=self.false, post=units.post)
