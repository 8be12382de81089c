"""Own kernels carry activity up and error down, declared without kinds: a head and a feedback of its own. Innocent."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 0, "grade": "strictly local"}


@kernel(reads="activity weight", writes="top")
def up(activity, weight, top):
    top[...] = activity @ weight


@kernel(reads="post weight", writes="error")
def down(post, weight, error):
    error[...] = post @ weight.T


class Museum(HeadOnly):
    def read(self):
        given = {"activity": self.layer.post.activity.flat(), "weight": self.head.synapse.weight}
        yield step(up, "up", top=self.head.post.activity, **given)

    def send(self, post, error):
        yield step(down, "down", post=post, weight=self.back.synapse.weight, error=error)
