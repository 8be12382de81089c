"""B starts as W plus a constant that is larger than all its weights: the cosine says little, the correlation all."""

from lab import Lab, own_path

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3|B3.*W3"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        back.synapse.weight.array[...] = projection.synapse.weight.array + 1.0
        return back
