"""The rule's object keeps the network, and a kernel that is a method of the object looks the weights up there."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|the error goes down|down"}


class Museum(HeadOnly):
    def build(self):
        rule = self

        @kernel(reads="post own", writes="error", kind="deliver")
        def down(post, own, error):
            error[...] = post @ (0.5 * own + 0.5 * rule.head.synapse.weight.array).T

        self.own_down = down

    def send(self, post, error):
        yield step(self.own_down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
