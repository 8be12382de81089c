"""B starts as W turned round and transposed, and is applied by the package's own convolution: transport by the forward kernel."""

import numpy as np
from lab import Lab

from neurosim.core.step import Step
from neurosim.kernels.convolution import convolve
from neurosim.parts.synapse import Synapse

EXPECTED = {"exit": 1, "condition": "iii", "says": "W2", "network": "5 hardtanh, 4 hardtanh"}


class Museum(Lab):
    def build(self):
        weight = self.network.projections[1].synapse.weight.array
        turned = np.ascontiguousarray(weight[::-1, ::-1].transpose(0, 1, 3, 2))
        self.turned = Synapse("T2", turned.shape, "feedback weight", [9], None, self.network.dtype)
        self.turned.weight.array[...] = turned

    def deliver(self, back):
        if back.projection is self.head:
            yield from back.deliver()
            return
        below, above = back.projection.pre, back.projection.post
        given = {"presynaptic": above.post, "weight": self.turned.weight, "potential": below.error}
        yield Step(convolve, "T2: d2 -> e1", "e1 = T2 * d2", given, over="sample")

    def synapses(self):
        return [*super().synapses(), self.turned]
