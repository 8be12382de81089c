"""B starts half as W, half as numbers of its own: correlation 0.7 and no step that explains it."""

from lab import Lab, own_path

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3|B3.*W3"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        back.synapse.weight.array[...] += projection.synapse.weight.array
        return back
