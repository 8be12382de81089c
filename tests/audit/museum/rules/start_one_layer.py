"""Of all feedback only that along layer 2 starts as a copy; the rest is its own."""

from lab import Lab, own_path

EXPECTED = {"exit": 1, "condition": "iii", "says": "W2.*B2|B2.*W2"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        if projection is self.network.projections[1]:
            back.synapse.weight.array[...] = projection.synapse.weight.array
        return back
