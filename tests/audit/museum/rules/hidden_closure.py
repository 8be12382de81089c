"""The kernel that reads the head keeps its weights in a variable of the enclosing function; the one that sends uses them."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|the error goes down|down"}


def pair():
    kept = []

    @kernel(reads="activity weight", writes="top", kind="transmit")
    def read(activity, weight, top):
        kept[:] = [weight.copy()]
        top[...] = activity @ weight

    @kernel(reads="post own", writes="error", kind="deliver")
    def down(post, own, error):
        error[...] = post @ (kept[0] if kept else own).T

    return read, down


class Museum(HeadOnly):
    def build(self):
        self.own_read, self.own_down = pair()

    def read(self):
        given = {"activity": self.layer.post.activity.flat(), "weight": self.head.synapse.weight}
        yield step(self.own_read, "the head reads", top=self.head.post.activity, **given)

    def send(self, post, error):
        yield step(self.own_down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
