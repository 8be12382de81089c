"""B is W with both axes of its taps turned round, as a convolution's transpose has them."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3"}


@kernel(reads="weight", writes="sent")
def follow(weight, sent):
    sent[...] = weight[::-1, ::-1].transpose(0, 1, 3, 2) if weight.ndim == 4 else weight


class Museum(Lab):
    def deliver(self, back):
        yield step(follow, "B follows W", weight=back.projection.synapse.weight, sent=back.synapse.weight)
        yield from back.deliver()
