"""A third of B starts as W, the rest as numbers of its own."""

from lab import Lab, own_path, signs

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3|B3.*W3"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        chosen = (signs(back.synapse.shape, 1) > 0) & (signs(back.synapse.shape, 2) > 0)
        back.synapse.weight.array[chosen] = projection.synapse.weight.array[chosen]
        return back
