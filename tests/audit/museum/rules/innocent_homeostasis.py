"""Synaptic scaling: all weights of a head's unit grow a little while it is silent, by a memory of its own activity."""

import numpy as np
from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 0}


@kernel(reads="activity", updates="usual", kind="store")
def follow(activity, usual):
    for row in activity:
        usual += 0.05 * (np.abs(row) - usual)


@kernel(reads="usual", updates="weight", kind="plasticity")
def scale(usual, weight):
    weight += 0.01 * (0.5 - usual) * weight


class Museum(HeadOnly):
    def build(self):
        sizes = ("unit",), (self.network.head_units,)
        self.usual = Buffer("usual", *sizes, "memory", "head", self.network.dtype, lasts=True)

    def wire(self, phase):
        yield from super().wire(phase)
        yield step(follow, "what is usual", activity=self.head.post.activity, usual=self.usual)
        yield step(scale, "scaling", usual=self.usual, weight=self.head.synapse.weight)
