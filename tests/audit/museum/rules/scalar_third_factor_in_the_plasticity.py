"""A kernel of plasticity is given the loss, beside a synapse's own change: one number that all synapses share."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 0, "grade": "local with a broadcast scalar"}


@kernel(reads="change value", updates="weight", kind="plasticity")
def consolidate(change, value, weight):
    weight -= 0.001 * (1 + 0.01 * value[0]) * change


class Museum(HeadOnly):
    def change(self):
        for synapse in (self.head.synapse, self.layer.synapse):
            given = {"change": synapse.change, "value": self.error.value, "weight": synapse.weight}
            yield step(consolidate, f"{synapse.name} changes", **given)
