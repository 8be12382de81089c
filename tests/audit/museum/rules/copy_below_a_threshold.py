"""F leans to the head only where both already have the same sign: a copy by pieces, slow, and one way."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3.*F3"}


@kernel(reads="weight", updates="sent")
def lean(weight, sent):
    sent += 0.05 * (weight - sent) * (weight * sent > 0)


class Museum(HeadOnly):
    def change(self):
        yield from super().change()
        yield step(lean, "F leans", weight=self.head.synapse.weight, sent=self.back.synapse.weight)
