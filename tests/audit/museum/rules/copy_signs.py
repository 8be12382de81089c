"""B has the signs of W and sizes of its own (sign-symmetric feedback, Liao et al. 2016): the signs are transported."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3"}


@kernel(reads="weight", updates="sent")
def follow(weight, sent):
    sent[...] = abs(sent) * (2.0 * (weight > 0) - 1.0)


class Museum(Lab):
    def deliver(self, back):
        yield step(follow, "B follows W", weight=back.projection.synapse.weight, sent=back.synapse.weight)
        yield from back.deliver()
