"""F changes by the head's own summed change, read from the head's array: the growth is transported, not learned by F."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i iii", "says": "F3"}
# Arguable: the numbers are those that an outer product of F's own (urf) would give; but F's synapse reads the other's array.


@kernel(reads="change", updates="weight", kind="plasticity")
def follow(change, weight):
    weight -= 0.01 * change


class Museum(HeadOnly):
    def change(self):
        yield from super().change()
        yield step(follow, "F follows", change=self.head.synapse.change, weight=self.back.synapse.weight)
