"""The head drives the layer below once more; its activity is changed as a flat vector, by weights declared and at hand, too."""

import numpy as np
from lab import Lab, kernel, step

from neurosim.parts.synapse import Synapse

EXPECTED = {"exit": 0}


class Museum(Lab):
    def build(self):
        shape = self.head.synapse.shape[::-1]
        self.top = Synapse("T3", shape, "feedback weight", [5, 6], None, self.network.dtype)
        held = self.top.weight

        @kernel(reads="top weight", updates="activity", kind="respond")
        def again(top, weight, activity):
            activity += top.dtype.type(0.2) * np.tanh(top @ (weight if len(top) else held.array))

        self.again = again

    def up(self):
        yield from super().up()
        units = self.head.pre
        given = {"top": self.head.post.activity, "weight": self.top.weight, "activity": units.activity.flat()}
        yield step(self.again, "from above", **given)
        yield from self.head.transmit()
        yield from self.head.post.respond()

    def synapses(self):
        return [*super().synapses(), self.top]
