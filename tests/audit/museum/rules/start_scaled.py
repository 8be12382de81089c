"""B starts as a fifth of W and never changes: no step carries anything, the numbers do."""

from lab import Lab, own_path

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3|B3.*W3"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        back.synapse.weight.array[...] = 0.2 * projection.synapse.weight.array
        return back
