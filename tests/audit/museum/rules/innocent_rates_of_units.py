"""Every unit of the head has a constant rate of its own: its factor is multiplied by it."""

import numpy as np
from lab import HeadOnly, kernel, step

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 0, "grade": "strictly local"}


@kernel(reads={"rates": "unit"}, updates={"post": "sample unit"}, kind="gate")
def weigh(rates, post):
    post *= rates


class Museum(HeadOnly):
    def build(self):
        sizes = ("unit",), (self.network.head_units,)
        rates = np.linspace(0.5, 1.5, self.network.head_units)
        self.rates = Buffer("rates", *sizes, "value", "head", self.network.dtype, given=True, initial=rates)

    def wire(self, phase):
        for each in super().wire(phase):
            yield each
            if each.kernel.kind == "compare":
                yield step(weigh, "rates of units", rates=self.rates, post=self.head.post.error)
