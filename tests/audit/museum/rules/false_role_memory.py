"""The head's weights are said to be a short-term memory, and all that reads them, up and down, are kernels of this file."""

from lab import HeadOnly, kernel, step

from neurosim.core.roles import Role

EXPECTED = {"exit": 1, "condition": "declared iii", "says": "H3"}


@kernel(reads="activity memory", writes="top")
def up(activity, memory, top):
    top[...] = activity @ memory


@kernel(reads="post memory", writes="error")
def down(post, memory, error):
    error[...] = post @ memory.T


class Museum(HeadOnly):
    def build(self):
        self.head.synapse.weight.role = Role.MEMORY

    def read(self):
        given = {"activity": self.layer.post.activity.flat(), "memory": self.head.synapse.weight}
        yield step(up, "up", top=self.head.post.activity, **given)

    def send(self, post, error):
        yield step(down, "down", post=post, memory=self.head.synapse.weight, error=error)
