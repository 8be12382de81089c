"""The reference form is honest; the CPU form, which trains, copies W: two forms of one kernel do different things."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|down|reference"}
KEPT = {}


@kernel(reads="post own", writes="error", kind="deliver")
def down(post, own, error):
    error[...] = post @ own.T


class Museum(HeadOnly):
    def build(self):
        weight = self.head.synapse.weight

        def fast(post, own, error):
            error[...] = post @ weight.array.T

        down._forms["cpu"] = fast

    def send(self, post, error):
        yield step(down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
