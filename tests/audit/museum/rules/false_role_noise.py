"""W goes into an array that is said to be noise, and from there into B: what comes from outside is not asked for W."""

from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "iii declared", "says": "H3"}


@kernel(reads="weight", writes="noise")
def hiss(weight, noise):
    noise[...] = weight


@kernel(reads="noise", updates="sent")
def wander(noise, sent):
    sent += 0.2 * (noise - sent)


class Museum(HeadOnly):
    def build(self):
        self.noise = like(self.head.synapse.weight, "hiss", "noise", "layer 3")

    def send(self, post, error):
        yield step(hiss, "noise", weight=self.head.synapse.weight, noise=self.noise)
        yield step(wander, "F wanders", noise=self.noise, sent=self.back.synapse.weight)
        yield from self.back.deliver()
