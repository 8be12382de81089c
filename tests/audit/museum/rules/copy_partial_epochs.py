"""In every batch one row of B, the next, becomes that of W: after eighty batches all of it."""

import numpy as np
from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3.*F3"}


@kernel(reads="weight", updates="sent count")
def next_row(weight, sent, count):
    row = int(count[0]) % len(sent)
    sent[row] = weight[row]
    count += 1


class Museum(HeadOnly):
    def build(self):
        self.count = Buffer("count", ("one",), (1,), "memory", "layer 3", np.int64, lasts=True)

    def change(self):
        yield from super().change()
        given = {"weight": self.head.synapse.weight, "sent": self.back.synapse.weight}
        yield step(next_row, "a row", count=self.count, **given)
