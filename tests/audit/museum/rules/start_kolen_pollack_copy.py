"""Kolen-Pollack feedback that need not grow similar, since it starts as W: the growth is legal, the start is not."""

from lab import Lab, own_path

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3|B3.*W3"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection, learns=True)
        back.synapse.weight.array[...] = 0.7 * projection.synapse.weight.array
        return back
