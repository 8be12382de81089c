"""Oja's rule: ``dw = y (x - y w)``: beside the outer product a decay by the unit's own activity times the synapse's own weight."""

from lab import kernel, step

from neurosim.rules import Rule

EXPECTED = {"exit": 0}


@kernel(reads="pre post weight", writes="change", kind="hebbian")
def oja(pre, post, weight, change):
    change[...] = (post * post).sum(axis=0) * weight - pre.T @ post


class Museum(Rule):
    name = "oja"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases, self.head = ("head",), network.head(len(network))

    def wire(self, phase):
        head = self.head
        yield from self.network.propagate()
        yield from head.transmit()
        given = {"pre": head.pre.active_part.flat(), "post": head.post.active_part}
        yield step(oja, "Oja", weight=head.synapse.weight, change=head.synapse.change, **given)
        yield from head.apply_update()
