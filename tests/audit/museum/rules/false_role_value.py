"""A figure of the error units, said to be for people to look at, is W's transpose times the error."""

from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="post weight", writes="figure", kind="count")
def tally(post, weight, figure):
    figure[...] = post @ weight.T


@kernel(reads="figure", writes="error", kind="gate")
def show(figure, error):
    error[...] = figure


class Museum(HeadOnly):
    def build(self):
        error = self.layer.post.error.flat()
        self.figure = Buffer("figures", error.axes, error.shape, "value", "error units 3", self.network.dtype)

    def send(self, post, error):
        yield step(tally, "figures", post=post, weight=self.head.synapse.weight, figure=self.figure)
        yield step(show, "shown", figure=self.figure, error=error)
