"""Every weight decays by a thousandth of itself at every batch, by a kernel of this file's own."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 0, "grade": "strictly local"}


@kernel(updates={"weight": "synapse"}, kind="plasticity", over="synapse")
def decay(weight):
    weight -= 0.001 * weight


class Museum(Lab):
    def end(self):
        for projection in self.learners:
            yield step(decay, "decay", over="synapse", weight=projection.synapse.weight.line())
