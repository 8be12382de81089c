"""An array that is said to be a rate holds W, laid there between batches, and is what the error is multiplied by."""

from lab import HeadOnly, kernel, like, step

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "H3|rates"}


@kernel(reads="post rates", writes="error")
def down(post, rates, error):
    error[...] = post @ rates.T


class Museum(HeadOnly):
    def build(self):
        self.rates = like(self.head.synapse.weight, "rates", "rate", "plasticity", given=True, initial=0.1)

    def send(self, post, error):
        yield step(down, "down", post=post, rates=self.rates, error=error)

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        self.rates.put(self.head.synapse.weight.array)
