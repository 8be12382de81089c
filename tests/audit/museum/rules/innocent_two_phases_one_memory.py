"""In one phase the head learns, in the other the layer; both compare with the same short-term memory."""

from lab import HeadOnly

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(HeadOnly):
    def build(self):
        self.phases = ("the head", "the layer")

    def wire(self, phase):
        yield from self.network.propagate()
        yield from self.head.transmit()
        yield from self.error.compare()
        if phase == "the layer":
            yield from self.back.deliver()
            yield from self.layer.post.gate()
        learner = self.head if phase == "the head" else self.layer
        yield from learner.hebbian()
        yield from learner.apply_update()

    def phase(self, epoch, batch, asked):
        return self.phases[batch % 2]
