"""W lies in an attribute of the buffer of B, which the forward kernel puts there."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|F3|the error goes down|down"}


class Museum(HeadOnly):
    def build(self):
        own = buffer = self.back.synapse.weight

        @kernel(reads="activity weight", writes="top", kind="transmit")
        def read(activity, weight, top):
            own.kept = weight * 1.0
            top[...] = activity @ weight

        @kernel(reads="post own", writes="error", kind="deliver")
        def down(post, own, error):
            error[...] = post @ (own + getattr(buffer, "kept", 0)).T

        self.own_read, self.own_down = read, down

    def read(self):
        given = {"activity": self.layer.post.activity.flat(), "weight": self.head.synapse.weight}
        yield step(self.own_read, "the head reads", top=self.head.post.activity, **given)

    def send(self, post, error):
        yield step(self.own_down, "the error goes down", post=post, own=self.back.synapse.weight, error=error)
