"""B is made W anew at every batch, by a declared step. Transport: the feedback is made of forward weights."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3"}


@kernel(reads="weight", writes="sent")
def follow(weight, sent):
    sent[...] = weight


class Museum(Lab):
    def deliver(self, back):
        yield step(follow, "B follows W", weight=back.projection.synapse.weight, sent=back.synapse.weight)
        yield from back.deliver()
