"""Forward and feedback weights are alike over the taps of a kernel, each drawn on its own: fewer numbers than entries."""

import numpy as np
from lab import Lab, own_path

EXPECTED = {"exit": 0}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        for synapse in (projection.synapse, back.synapse):
            w = synapse.weight.array
            if w.ndim == 4:
                w[...] = (
                    3
                    * w.mean(axis=(0, 1), keepdims=True)
                    * np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]])[..., None, None]
                )
        return back
