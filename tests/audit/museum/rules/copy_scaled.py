"""B is 0.03 W at every batch: a scaled copy is a copy."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3"}


@kernel(reads="weight", writes="sent")
def follow(weight, sent):
    sent[...] = 0.03 * weight


class Museum(Lab):
    def deliver(self, back):
        yield step(follow, "B follows W", weight=back.projection.synapse.weight, sent=back.synapse.weight)
        yield from back.deliver()
