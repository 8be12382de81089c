"""BCM: ``dw = x y (y - theta)``, theta a memory of the unit's own that follows the square of its activity."""

from lab import kernel, step

from neurosim.core.buffer import Buffer
from neurosim.rules import Rule

EXPECTED = {"exit": 0}


@kernel(reads="activity theta", writes="post", kind="gate")
def bcm(activity, theta, post):
    post[...] = -activity * (activity - theta)


@kernel(reads="activity", updates="theta", kind="store")
def slide(activity, theta):
    for row in activity:
        theta += 0.05 * (row * row - theta)


class Museum(Rule):
    name = "bcm"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases, self.head = ("head",), network.head(len(network))
        units = network.head_units
        self.theta = Buffer("threshold", ("unit",), (units,), "memory", "head", network.dtype, lasts=True, initial=0.5)

    def wire(self, phase):
        head, theta = self.head, self.theta
        yield from self.network.propagate()
        yield from head.transmit()
        yield step(bcm, "BCM", activity=head.post.active_part, theta=theta, post=head.post.post)
        yield from head.hebbian()
        yield step(slide, "the threshold slides", activity=head.post.active_part, theta=theta)
        yield from head.apply_update()
