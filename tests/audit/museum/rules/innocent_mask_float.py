"""Half of the head's synapses do not exist: a fixed mask of zeros and ones, kept as floats, multiplies every change."""

from lab import HeadOnly, kernel, like, signs, step

EXPECTED = {"exit": 0, "grade": "strictly local"}


@kernel(reads="mask", updates="change")
def cut(mask, change):
    change *= mask


class Museum(HeadOnly):
    def build(self):
        weight = self.head.synapse.weight
        there = (signs(weight.shape, 8) + 1) / 2
        weight.array[...] *= there
        self.mask = like(weight, "mask", "value", "head", given=True, initial=there)

    def wire(self, phase):
        for each in super().wire(phase):
            yield each
            if self.head.synapse.change in each.sums.values() or self.head.synapse.change in each.writes.values():
                yield step(cut, "no synapse, no change", mask=self.mask, change=self.head.synapse.change)
