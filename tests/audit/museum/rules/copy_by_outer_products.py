"""One-hot activities make the head spell W out, and F grows by their outer products: a weight mirror that is exact."""

import numpy as np
from lab import HeadOnly, kernel, own_path, step

from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.kernels.dense import dense

EXPECTED = {"exit": 0}
# Arguable, and innocent: every change is one outer product of what F's two populations did at that time, as in a weight
# mirror; that the noise is one-hot makes it a better one, and no wire from W to F exists.


@kernel(reads={"activity": "sample unit"}, writes={"post": "sample unit"}, kind="gate")
def opposite(activity, post):
    post[...] = -activity


class Museum(HeadOnly):
    def build(self):
        self.back = own_path(self.network, self.head, learns=True)
        self.feedbacks = [self.back]
        views, (below, units), real = self.layer.post.views, self.head.synapse.shape, self.network.dtype
        self.noise = Buffer("fired", ("sample", "presynaptic"), (views, below), "noise", "layer 3", real, given=True)
        sizes = ("sample", "postsynaptic"), (views, units)
        self.answer = Buffer("answer", *sizes, "activity", "head", real)
        self.minus = Buffer("-answer", *sizes, "error", "head", real)

    def wire(self, phase):
        given = {"presynaptic": self.noise, "weight": self.head.synapse.weight, "potential": self.answer}
        yield Step(dense, "the head answers", "a = H noise", given, over="sample")
        yield step(opposite, "turned round", activity=self.answer, post=self.minus)
        yield from self.back.synapse.hebbian(self.noise, self.minus)
        yield from super().wire(phase)

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        rows = np.random.default_rng([self.network.seed, epoch, batch]).integers(
            0, self.noise.shape[1], self.noise.shape[0]
        )
        self.noise.put(np.eye(self.noise.shape[1])[rows])
