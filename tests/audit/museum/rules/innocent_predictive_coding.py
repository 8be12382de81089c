"""Layer 2 predicts layer 1 by weights of its own; the misses go up by other weights of their own. Each learns its own product."""

from lab import kernel, like, step

from neurosim.core.buffer import Buffer
from neurosim.parts.synapse import Synapse
from neurosim.rules import Rule

EXPECTED = {"exit": 0, "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads="above weight", writes="prediction", kind="transmit")
def predict(above, weight, prediction):
    prediction[...] = above @ weight


@kernel(reads="below prediction", writes="error", kind="compare")
def miss(below, prediction, error):
    error[...] = prediction - below


@kernel(reads="error weight", writes="post", kind="deliver")
def rise(error, weight, post):
    post[...] = error @ weight.T


class Museum(Rule):
    name = "predictive coding"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases = ("all",)
        self.first, self.second = network.projections
        below, above = self.first.post.active_part.flat(), self.second.post.active_part.flat()
        plasticity, shape = network.plasticity, (above.shape[1], below.shape[1])
        self.down = Synapse("P", shape, "prediction weight", [1, 2], plasticity, network.dtype)
        self.rising = Synapse("E", shape, "feedback weight", [1, 3], None, network.dtype)
        sizes = ("sample", "postsynaptic"), below.shape, "activity"
        self.prediction = Buffer("p1", *sizes, "layer 1", network.dtype)
        self.missed = like(self.prediction, "miss1", "error")

    def wire(self, phase):
        below, above = self.first.post.active_part.flat(), self.second.post.active_part.flat()
        yield from self.network.propagate()
        yield step(predict, "layer 2 predicts", above=above, weight=self.down.weight, prediction=self.prediction)
        yield step(miss, "what was missed", below=below, prediction=self.prediction, error=self.missed)
        yield step(rise, "it rises", error=self.missed, weight=self.rising.weight, post=self.second.post.error.flat())
        yield from self.second.post.gate()
        yield from self.down.hebbian(above, self.missed)
        yield from self.second.hebbian()
        yield from self.down.consolidate()
        yield from self.second.apply_update()

    def synapses(self):
        return [*super().synapses(), self.down, self.rising]
