"""As the plain Hebbian rule, with the other sign."""

from neurosim.rules import Rule

EXPECTED = {"exit": 0, "grade": "strictly local", "network": "5 hardtanh, 4 hardtanh"}


class Museum(Rule):
    name = "anti-hebbian"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases = ("all layers",)

    def wire(self, phase):
        yield from self.network.propagate()
        for projection in self.network.projections:
            yield from projection.synapse.hebbian(projection.pre.active_part, projection.post.active_part)
        for projection in self.network.projections:
            yield from projection.apply_update()
