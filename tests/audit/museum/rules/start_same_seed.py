"""B is drawn by a generator of its own with the seed of W: a copy by an innocent mistake, and a copy."""

import numpy as np
from lab import Lab

from neurosim.parts.feedback import Feedback
from neurosim.parts.synapse import Synapse

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*B3|B3.*W3"}


class Museum(Lab):
    def path(self, projection):
        letter, number = projection.synapse.name
        name = {"W": "B", "H": "F"}[letter] + number
        seed = [self.network.seed, ord(letter), int(number)]
        shape = projection.synapse.shape
        return Feedback(projection, Synapse(name, shape, "feedback weight", seed, None, np.float32))
