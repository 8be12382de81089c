"""Back-propagation where a batch has more than 64 moments, honest below: the verdict names the sizes that it tried."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 0, "says": "4 moments|pairs"}
# No violation in what was tried. A finished run is audited at its own size.


@kernel(reads="post own weight", writes="error", kind="deliver")
def down(post, own, weight, error):
    error[...] = post @ own.T


class Museum(HeadOnly):
    def send(self, post, error):
        if self.network.pairs > 64:
            yield step(
                down, "down", post=post, own=self.head.synapse.weight, weight=self.back.synapse.weight, error=error
            )
        else:
            yield from super().send(post, error)
