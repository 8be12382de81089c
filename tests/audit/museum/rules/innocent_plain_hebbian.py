"""What fires together wires together: every layer changes by its pre times its own activity; no error anywhere."""

from lab import kernel, step

from neurosim.rules import Rule

EXPECTED = {"exit": 0, "grade": "strictly local", "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads={"activity": "sample ..."}, writes={"post": "sample ..."})
def opposite(activity, post):
    post[...] = -activity


class Museum(Rule):
    name = "hebbian"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases = ("all layers",)

    def wire(self, phase):
        yield from self.network.propagate()
        for projection in self.network.projections:
            post = projection.post
            yield step(opposite, "changes are subtracted", activity=post.active_part, post=post.post)
            yield from projection.hebbian()
        for projection in self.network.projections:
            yield from projection.apply_update()
