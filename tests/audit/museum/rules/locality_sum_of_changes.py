"""Every change is multiplied by the sum of the sizes of all: a number that all share, and that no unit could have known."""

import numpy as np
from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i", "says": "H3"}
# Arguable: it is one number. But nothing delivers it: every synapse of the array would have to add up all others.


@kernel(updates="change", kind="plasticity")
def enlarge(change):
    change *= np.abs(change).sum()


class Museum(HeadOnly):
    def learn(self):
        yield from super().learn()
        yield step(enlarge, "enlarged", change=self.head.synapse.change)
