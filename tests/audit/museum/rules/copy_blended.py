"""B moves a hundredth of the way to W at every batch: a blend, slow, and after a while a copy."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3"}


@kernel(reads="weight", updates="sent")
def blend(weight, sent):
    sent += 0.01 * (weight - sent)


class Museum(Lab):
    def end(self):
        for back in self.down:
            yield step(blend, "B leans to W", weight=back.projection.synapse.weight, sent=back.synapse.weight)
