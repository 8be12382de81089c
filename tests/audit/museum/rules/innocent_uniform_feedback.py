"""All feedback weights are one and the same number: every unit below receives the sum of all errors. Innocent."""

from lab import Lab, own_path

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(Lab):
    def path(self, projection):
        back = own_path(self.network, projection)
        back.synapse.weight.array[...] = 0.1
        return back
