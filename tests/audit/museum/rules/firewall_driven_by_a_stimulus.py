"""What W sends down is called a figure, and a layer's response adds it to a little of its activity: driven by the stimulus, too."""

from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="post weight", writes="figure", kind="count")
def tally(post, weight, figure):
    figure[...] = post @ weight.T


@kernel(reads="figure activity", writes="again", kind="respond")
def respond(figure, activity, again):
    again[...] = figure + 0.001 * activity


@kernel(reads="again", writes="error", kind="gate")
def gate(again, error):
    error[...] = again


class Museum(HeadOnly):
    def build(self):
        error, real = self.layer.post.error.flat(), self.network.dtype
        self.figure = Buffer("figures", error.axes, error.shape, "value", "error units 3", real)
        self.again = Buffer("x3 again", error.axes, error.shape, "activity", "layer 3", real)

    def send(self, post, error):
        yield step(tally, "figures", post=post, weight=self.head.synapse.weight, figure=self.figure)
        activity = self.layer.post.active_part.flat()
        yield step(respond, "layer 3 responds again", figure=self.figure, activity=activity, again=self.again)
        yield step(gate, "gated", again=self.again, error=error)
