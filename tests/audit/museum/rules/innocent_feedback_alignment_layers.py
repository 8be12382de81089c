"""Every layer has a head, an error and fixed feedback of its own (layer-wise), wired by hand. Innocent."""

from lab import own_path

from neurosim.rules import Rule

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(Rule):
    name = "by hand"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases = ("all",)
        self.heads = [network.head(number) for number in range(1, len(network) + 1)]
        for head in self.heads:
            self._attach(head.pre.number)
            self.feedbacks.append(own_path(network, head))

    def wire(self, phase):
        for layer, head, back in zip(self.network.projections, self.heads, self.feedbacks, strict=True):
            yield from layer.transmit()
            yield from layer.post.respond()
            yield from head.transmit()
            yield from self.errors[head.pre.number].compare()
            yield from back.deliver()
            yield from layer.post.gate()
            yield from layer.hebbian()
            yield from head.hebbian()
        for part in (*self.network.projections, *self.heads):
            yield from part.apply_update()
