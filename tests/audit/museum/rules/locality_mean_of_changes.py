"""From every change of the head the mean of all changes is taken away: each synapse knows all others."""

from lab import HeadOnly, kernel, step

EXPECTED = {"exit": 1, "condition": "i ii", "says": "H3"}


@kernel(updates="change", kind="plasticity")
def centre(change):
    change -= change.mean()


class Museum(HeadOnly):
    def learn(self):
        yield from super().learn()
        yield step(centre, "centred", change=self.head.synapse.change)
