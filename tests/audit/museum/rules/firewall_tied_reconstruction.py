"""Layer 2's activity is read back through its own weights and called an activity of layer 1; what differs, teaches layer 1."""

import numpy as np
from lab import Lab, kernel, like, step

EXPECTED = {"exit": 1, "condition": "iii", "says": "W2", "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads="activity weight", writes="restored", kind="transmit")
def restore(activity, weight, restored):
    padded = np.pad(activity, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = activity.shape[1:3]
    restored[...] = 0
    for i in range(3):
        for j in range(3):
            seen = padded[:, 2 - i : 2 - i + rows, 2 - j : 2 - j + columns]
            restored += seen @ weight[i, j].T


@kernel(reads="activity restored", updates="post", kind="compare")
def differ(activity, restored, post):
    post += 0.1 * (activity - restored)


class Museum(Lab):
    def build(self):
        self.restored = like(self.network.populations[1].active_part, "x1 restored", "activity", "layer 1")

    def gate(self, units):
        yield from units.gate()
        if units is self.network.populations[1]:
            second = self.network.projections[1]
            given = {"activity": second.post.active_part, "weight": second.synapse.weight}
            yield step(restore, "layer 1 is restored", restored=self.restored, **given)
            given = {"activity": units.active_part, "restored": self.restored, "post": units.post}
            yield step(differ, "compared", **given)
