"""Positive forward and feedback weights that stay positive: after every change what fell below zero is zero."""

import numpy as np
from lab import Lab, kernel, own_path, step

EXPECTED = {"exit": 0}


@kernel(updates="weight", kind="plasticity")
def clip(weight):
    np.maximum(weight, 0, out=weight)


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection, learns=True)
        for synapse in (projection.synapse, back.synapse):
            synapse.weight.array[...] = np.abs(synapse.weight.array)
        return back

    def end(self):
        for back in self.down:
            yield step(clip, "no weight changes its sign", weight=back.projection.synapse.weight)
            yield step(clip, "no weight changes its sign", weight=back.synapse.weight)
