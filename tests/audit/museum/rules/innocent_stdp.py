"""Two traces: pre before post strengthens, post before pre weakens: two outer products of a synapse's own, one change."""

from lab import kernel, step

from neurosim.core.buffer import Buffer
from neurosim.rules import Rule

EXPECTED = {"exit": 0}


@kernel(reads="pre post", updates="pre_trace post_trace", writes="change", kind="hebbian")
def stdp(pre, post, pre_trace, post_trace, change):
    change[...] = 0
    for x, y in zip(pre, post, strict=True):
        change += 0.5 * x[:, None] * post_trace - pre_trace[:, None] * y
        pre_trace += 0.5 * (x - pre_trace)
        post_trace += 0.5 * (y - post_trace)


class Museum(Rule):
    name = "stdp"

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.phases, self.head = ("head",), network.head(len(network))
        below, units = self.head.synapse.shape
        self.traces = {
            "pre_trace": Buffer("x trace", ("presynaptic",), (below,), "memory", "layer 3", network.dtype, lasts=True),
            "post_trace": Buffer("z trace", ("unit",), (units,), "memory", "head 3", network.dtype, lasts=True),
        }

    def wire(self, phase):
        head = self.head
        yield from self.network.propagate()
        yield from head.transmit()
        given = {"pre": head.pre.active_part.flat(), "post": head.post.active_part, **self.traces}
        yield step(stdp, "STDP", change=head.synapse.change, **given)
        yield from head.apply_update()
