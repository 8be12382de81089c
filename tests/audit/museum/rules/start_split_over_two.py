"""Two arrays carry the error down, fixed since the start, each like noise; together they are the head's weights."""

from lab import HeadOnly, back_synapse, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="post first second", writes="error", kind="deliver")
def both(post, first, second, error):
    error[...] = post @ first.T + post @ second.T


class Museum(HeadOnly):
    def build(self):
        self.second = back_synapse(self.network, self.head, letter="S")
        self.back.synapse.weight.array[...] *= 3
        self.second.weight.array[...] = self.head.synapse.weight.array - self.back.synapse.weight.array

    def send(self, post, error):
        first, second = self.back.synapse.weight, self.second.weight
        yield step(both, "the error goes down twice", post=post, first=first, second=second, error=error)
