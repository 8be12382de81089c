"""The head's own weights carry its error down from the five thousandth batch on: nobody runs so many, but the code says so."""

from lab import Lab, kernel, step

EXPECTED = {"exit": 1, "condition": "declared", "says": "its code reaches H3"}


class Museum(Lab):
    batches = 0

    def is_late(self):
        self.batches += 1
        return self.batches > 5000

    def build(self):
        weight, late = self.head.synapse.weight, self.is_late

        @kernel(reads="post own", writes="error", kind="deliver")
        def down(post, own, error):
            error[...] = post @ (weight.array if late() else own).T

        self.kernel = down

    def deliver(self, back):
        if back is not self.down[0]:
            yield from back.deliver()
            return
        given = {"post": self.head.post.post, "own": back.synapse.weight, "error": self.head.pre.error.flat()}
        yield step(self.kernel, "the error goes down", **given)
