"""Feedback that is no number from the start: whatever it delivers is none either, and nothing is learned from it."""

import numpy as np
from lab import Lab

EXPECTED = {"exit": 3, "says": "NaN"}


class Museum(Lab):
    def build(self):
        for back in self.down:
            back.synapse.weight.array[...] = np.nan
