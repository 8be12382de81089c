"""Noise on the head; what the noise did to each moment's distance tells every unit, as one number, whether it was good."""

import numpy as np
from lab import kernel, like, step

from neurosim.rules import Rule

EXPECTED = {"exit": 0, "grade": "local with a broadcast scalar"}


@kernel(reads="activity noise", writes="noisy", kind="respond")
def disturb(activity, noise, noisy):
    noisy[...] = activity + 0.1 * noise


@kernel(reads="clean noisy noise", writes="post")
def perturb(clean, noisy, noise, post):
    half = len(clean) // 2
    before = np.abs(clean[half:] - clean[:half]).sum(axis=1)
    after = np.abs(noisy[half:] - clean[:half]).sum(axis=1)
    post[...] = (after - before)[:, None] * noise[half:]


class Museum(Rule):
    name = "node perturbation"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases, self.head = ("head",), network.head(len(network))
        z = self.head.post.activity
        self.noise, self.noisy = like(z, "noise", "noise", given=True), like(z, "noisy z")

    def wire(self, phase):
        z = self.head.post.activity
        yield from self.network.propagate()
        yield from self.head.transmit()
        yield step(disturb, "noise", activity=z, noise=self.noise, noisy=self.noisy)
        post = self.head.post.post
        yield step(perturb, "better or worse", clean=z, noisy=self.noisy, noise=self.noise, post=post)
        yield from self.head.hebbian()
        yield from self.head.apply_update()

    def draw(self, epoch, batch):
        rng = np.random.default_rng([self.network.seed, ord("N"), epoch, batch])
        self.noise.put(rng.normal(size=self.noise.shape))
