"""No step carries anything, but B is drawn as W: the same numbers at the start, for ever after nearly the same."""

from lab import Lab, own_path

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3|B3.*W3"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        back.synapse.weight.array[...] = projection.synapse.weight.array
        return back
