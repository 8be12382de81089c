"""Two arrays carry the error down, each like noise by itself; their sum is the head's weights."""

from lab import HeadOnly, back_synapse, kernel, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="weight first", writes="second")
def complete(weight, first, second):
    second[...] = weight - first


@kernel(reads="post first second", writes="error")
def both(post, first, second, error):
    error[...] = post @ first.T + post @ second.T


class Museum(HeadOnly):
    def build(self):
        self.second = back_synapse(self.network, self.head, letter="S")

    def send(self, post, error):
        first, second = self.back.synapse.weight, self.second.weight
        yield step(complete, "S completes F", weight=self.head.synapse.weight, first=first, second=second)
        yield step(both, "the error goes down twice", post=post, first=first, second=second, error=error)
