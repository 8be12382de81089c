"""B's buffer is of a class whose ``array`` makes itself W whenever it is looked at."""

from lab import HeadOnly

from neurosim.core.buffer import Buffer

EXPECTED = {"exit": 1, "condition": "declared i iii", "says": "F3|H3"}


class Listening(Buffer):
    source = None

    @property
    def array(self):
        found = super().array
        if self.source is not None:
            found[...] = 0.3 * self.source.array
        return found


class Museum(HeadOnly):
    def build(self):
        old = self.back.synapse.weight
        new = Listening("F3", old.axes, old.shape, old.role, old.owner, old.dtype, lasts=True)
        new.source = self.head.synapse.weight
        self.back.synapse.weight = new
