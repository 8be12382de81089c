"""What sends errors down by W says that it transmits an activity up, and its error that it is an activity."""

from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="presynaptic weight", writes="potential", kind="transmit")
def transmit(presynaptic, weight, potential):
    potential[...] = presynaptic @ weight.T


@kernel(reads="potential", writes="error", kind="respond")
def respond(potential, error):
    error[...] = potential


class Museum(HeadOnly):
    def build(self):
        error = self.layer.post.error.flat()
        self.false = Buffer("u3 from above", error.axes, error.shape, "activity", "layer 3", self.network.dtype)

    def send(self, post, error):
        given = {"presynaptic": post, "weight": self.head.synapse.weight}
        yield step(transmit, "top-down recurrence", potential=self.false, **given)
        yield step(respond, "layer 3 responds again", potential=self.false, error=error)
