"""W and B change by the same outer products and decay alike (Kolen, Pollack 1994): they grow similar, and may."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 0, "grade": "strictly local"}


@kernel(updates="weight", kind="plasticity")
def decay(weight):
    weight *= 0.99


class Museum(Lab):
    learns = True

    def end(self):
        for back in self.down:
            for synapse in (back.projection.synapse, back.synapse):
                yield step(decay, f"{synapse.name} decays", weight=synapse.weight)
