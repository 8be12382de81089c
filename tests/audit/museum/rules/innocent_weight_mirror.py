"""Before anything is compared, units below fire at random, the head answers, and F grows by their outer product (Akrout 2019)."""

import numpy as np
from lab import HeadOnly, kernel, own_path, step

from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.kernels.dense import dense

EXPECTED = {"exit": 0, "grade": "strictly local"}


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
        yield Step(dense, "the head answers noise", "a = H noise", given, over="sample")
        yield step(opposite, "turned round, since changes are subtracted", activity=self.answer, post=self.minus)
        yield from self.back.synapse.hebbian(self.noise, self.minus)
        yield from super().wire(phase)

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        rng = np.random.default_rng([self.network.seed, ord("N"), epoch, batch])
        self.noise.put(rng.normal(size=self.noise.shape))
