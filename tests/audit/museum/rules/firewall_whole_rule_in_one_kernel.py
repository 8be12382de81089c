"""One kernel without any kind reads activity, head and all, and leaves the change of W: nothing in it is declared."""

import numpy as np
from lab import kernel, step

from neurosim.rules import Rule

EXPECTED = {"exit": 1, "condition": "iii", "says": "H2", "network": "5 hardtanh, 4 hardtanh"}


@kernel(reads="below activity weight", writes="change")
def learn(below, activity, weight, change):
    flat = activity.reshape(len(activity), -1)
    z, half = flat @ weight, len(flat) // 2
    error = (np.sign(z[half:] - z[:half]) @ weight.T).reshape(activity[half:].shape)
    padded = np.pad(below[half:], ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = activity.shape[1:3]
    for i in range(3):
        for j in range(3):
            change[i, j] = np.einsum("nrck,nrco->ko", padded[:, i : i + rows, j : j + columns], error)


class Museum(Rule):
    name = "one kernel"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases, self.head = ("all",), network.head(len(network))

    def wire(self, phase):
        top = self.network.projections[-1]
        yield from self.network.propagate()
        given = {"below": top.pre.activity, "activity": top.post.activity, "weight": self.head.synapse.weight}
        yield step(learn, "all at once", change=top.synapse.change, **given)
        yield from top.apply_update()
