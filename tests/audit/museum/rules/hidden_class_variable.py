"""W lies in a class that nobody made an object of, and is blended in from the third batch on."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|the error goes down|down"}


class Kept:
    weight, batches = None, 0


@kernel(reads="activity weight", writes="top", kind="transmit")
def read(activity, weight, top):
    Kept.weight, Kept.batches = weight.copy(), Kept.batches + 1
    top[...] = activity @ weight


@kernel(reads="post own", writes="error", kind="deliver")
def down(post, own, error):
    error[...] = post @ (own + 0.5 * Kept.weight if Kept.batches > 2 else own).T


class Museum(HeadOnly):
    def read(self):
        given = {"activity": self.layer.post.activity.flat(), "weight": self.head.synapse.weight}
        yield step(read, "the head reads", top=self.head.post.activity, **given)

    def send(self, post, error):
        yield step(down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
