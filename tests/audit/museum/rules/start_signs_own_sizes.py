"""B has sizes of its own and the signs of W: independent numbers, and a correlation of two thirds."""

import numpy as np
from lab import Lab, own_path

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3|B3.*W3"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        own = back.synapse.weight.array
        own[...] = np.abs(own) * np.sign(projection.synapse.weight.array)
        return back
