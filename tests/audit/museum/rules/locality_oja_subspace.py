"""Oja's subspace rule, ``dW = (x - W y) y``: a unit's synapse takes away what all other units explain by their weights."""

from lab import kernel, step

from neurosim.rules import Rule

EXPECTED = {"exit": 1, "condition": "i iii", "says": "H3"}


@kernel(reads="pre post weight", writes="change", kind="hebbian")
def subspace(pre, post, weight, change):
    change[...] = -(pre - post @ weight.T).T @ post


class Museum(Rule):
    name = "subspace"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases, self.head = ("head",), network.head(len(network))

    def wire(self, phase):
        head = self.head
        yield from self.network.propagate()
        yield from head.transmit()
        given = {"pre": head.pre.active_part.flat(), "post": head.post.active_part}
        yield step(subspace, "subspace", weight=head.synapse.weight, change=head.synapse.change, **given)
        yield from head.apply_update()
