"""B starts with the signs of W and one size: sign-symmetric feedback, never refreshed."""

import numpy as np
from lab import Lab, own_path

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3|B3.*W3"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        back.synapse.weight.array[...] = 0.1 * np.sign(projection.synapse.weight.array)
        return back
