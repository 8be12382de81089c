"""B is declared as some rows of an array whose other rows are W: the kernel steps out of its rows by ``.base``."""

import numpy as np
from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "F3|H3|down"}


@kernel(reads="post own", writes="error", kind="deliver")
def down(post, own, error):
    whole = own.base if own.base is not None and own.base.shape[0] == 2 * len(own) else own
    error[...] = post @ whole[-len(own) :].T


class Museum(HeadOnly):
    def build(self):
        weight = self.head.synapse.weight
        rows, units = weight.shape
        both = Buffer("F3 twice", ("presynaptic", "postsynaptic"), (2 * rows, units), weight.role, "H3", lasts=True)
        both.array[:rows] = self.back.synapse.weight.array
        both.array[rows:] = weight.array
        self.own = both.part("F3 half", 0, rows)
        self.head.synapse.weight = both.part("H3", rows, 2 * rows)
        self.where = np.arange(rows)

    def send(self, post, error):
        yield step(down, "the error goes down", post=post, own=self.own, error=error)
