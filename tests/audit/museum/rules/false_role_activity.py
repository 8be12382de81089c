"""An array with the role of an activity of layer 3 holds W, and is sent down: the role is no wall."""

from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


@kernel(reads="weight", writes="activity", kind="respond")
def respond(weight, activity):
    activity[...] = weight


@kernel(reads="post activity", writes="error", kind="deliver")
def down(post, activity, error):
    error[...] = post @ activity.T


class Museum(HeadOnly):
    def build(self):
        sizes = ("sample", "unit"), self.head.synapse.shape
        self.false = Buffer("x3 again", *sizes, "activity", "layer 3", self.network.dtype)

    def send(self, post, error):
        yield step(respond, "layer 3 responds", weight=self.head.synapse.weight, activity=self.false)
        yield step(down, "the error goes down", post=post, activity=self.false, error=error)
