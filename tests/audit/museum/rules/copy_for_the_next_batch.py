"""B is copied from W after all changes of a batch: it delivers what W was a batch ago."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3"}


@kernel(reads="weight", writes="sent")
def follow(weight, sent):
    sent[...] = weight


class Museum(Lab):
    def end(self):
        for back in self.down:
            yield step(follow, "B follows W", weight=back.projection.synapse.weight, sent=back.synapse.weight)
