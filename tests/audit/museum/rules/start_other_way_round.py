"""Not B is a copy of W, but W starts as a copy of B, which is drawn first: the same numbers, by whatever hand."""

from lab import Lab, own_path

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3|B3.*W3"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        projection.synapse.weight.array[...] = back.synapse.weight.array
        return back
