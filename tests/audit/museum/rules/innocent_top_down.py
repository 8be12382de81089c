"""Layer 2 acts back on layer 1 through weights of its own, then both respond again: recurrence, not feedback of errors."""

from lab import Lab, kernel, like, step

from neurosim.core.step import Step
from neurosim.kernels.convolution import convolve
from neurosim.parts.synapse import Synapse

EXPECTED = {"exit": 0, "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads={"more": "sample ..."}, updates={"potential": "sample ..."}, kind="transmit", over="sample")
def add(more, potential):
    potential += more


class Museum(Lab):
    def build(self):
        first, second = self.network.populations[1:]
        shape, seed = (3, 3, second.shape[2], first.shape[2]), [self.network.seed, ord("T"), 2]
        self.top_down = Synapse("T2", shape, "forward weight", seed, None, self.network.dtype)
        self.more = like(first.potential, "u1 from above")

    def up(self):
        network = self.network
        first, second = network.projections
        yield from network.propagate()
        given = {"presynaptic": second.post.activity, "weight": self.top_down.weight, "potential": self.more}
        yield Step(convolve, "T2: x2 -> u1", "u1 = W1 * x0 + T2 * x2", given, over="sample")
        yield from first.transmit()
        yield step(add, "both add up", over="sample", more=self.more, potential=first.post.potential)
        yield from first.post.respond()
        yield from second.transmit()
        yield from second.post.respond()
        yield from self.head.transmit()

    def synapses(self):
        return [*super().synapses(), self.top_down]
