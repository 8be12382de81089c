"""A reward less its own running mean, times noise of the unit, times the activity below: two numbers for all, no third side."""

import numpy as np
from lab import Lab, kernel, like, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 0, "grade": "local with a broadcast scalar"}


@kernel(reads="noise", updates="activity", kind="respond")
def disturb(noise, activity):
    activity += activity.dtype.type(0.1) * noise


@kernel(reads="value", updates="mean", writes="reward", kind="count")
def rewarded(value, mean, reward):
    reward[0] = -value[0]
    mean += mean.dtype.type(0.1) * (reward - mean)


@kernel(reads="reward mean pre noise", writes="change", kind="hebbian")
def product(reward, mean, pre, noise, change):
    change[...] = (mean[0] - reward[0]) * (pre.T @ noise)


class Museum(Lab):
    def build(self):
        activity, real = self.head.post.activity, self.network.dtype
        self.noise = like(activity, "noise of z3", "noise", given=True)
        self.mean = Buffer("mean reward", ("one",), (1,), "memory", "reward", real, lasts=True)
        self.reward = Buffer("reward", ("one",), (1,), "value", "reward", real)

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        rng = self.network.seed, 77, epoch, batch
        self.noise.put(np.random.default_rng(rng).normal(size=self.noise.shape))

    def up(self):
        yield from super().up()
        yield step(disturb, "noise", noise=self.noise, activity=self.head.post.activity)

    def learn(self, projection):
        if projection is not self.head:
            yield from projection.hebbian()
            return
        pre, rows = projection.pre.active_part.flat(), self.noise.shape[0]
        noise = self.noise.part("noise of z3[2]", rows - pre.shape[0], rows)
        yield step(rewarded, "a reward", value=self.error.value, mean=self.mean, reward=self.reward)
        given = {"reward": self.reward, "mean": self.mean, "pre": pre, "noise": noise}
        yield step(product, "reward x noise x activity", change=projection.synapse.change, **given)
