"""Direct feedback alignment: the head's error goes straight to every layer through fixed random weights."""

from lab import Lab

from neurosim.parts.feedback import Feedback
from neurosim.parts.projection import Projection
from neurosim.parts.synapse import Synapse

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(Lab):
    def path(self, projection):
        network, layer = self.network, projection.pre
        shape, seed = (layer.size, network.head_units), [network.seed, ord("D"), layer.number]
        synapse = Synapse(f"D{layer.number}", shape, "feedback weight", seed, dtype=network.dtype)
        return Feedback(Projection(layer, self.head.post, synapse), synapse)
