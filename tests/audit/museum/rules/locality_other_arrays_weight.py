"""Layer 2's weights lean to layer 3's: a forward weight reaches another layer's change without any feedback."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "i iii", "says": "W3.*W2"}


@kernel(reads="other", updates="weight", kind="plasticity")
def lean(other, weight):
    weight += 0.01 * (other - weight)


class Museum(Lab):
    def end(self):
        second, third = self.network.projections[1:]
        yield step(lean, "W2 leans to W3", other=third.synapse.weight, weight=second.synapse.weight)
