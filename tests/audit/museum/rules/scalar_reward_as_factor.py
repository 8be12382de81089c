"""A reward (the loss of the batch, in one of two sizes) multiplies every factor of the head: one broadcast scalar."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 0, "grade": "local with a broadcast scalar"}


@kernel(reads="value", updates="post")
def reward(value, post):
    post *= 0.5 + 0.001 * value[0]


class Museum(HeadOnly):
    def wire(self, phase):
        for each in super().wire(phase):
            yield each
            if each.kernel.kind == "compare":
                yield step(reward, "reward", value=self.error.value, post=self.head.post.error)
