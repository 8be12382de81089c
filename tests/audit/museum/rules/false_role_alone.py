"""Nothing is transported; but the head's weights, which carry activity up, say that they are inverse weights. A lie by name."""

from lab import HeadOnly

from neurosim.core.roles import Role

EXPECTED = {"exit": 1, "condition": "declared", "says": "H3.*inverse weight"}


class Museum(HeadOnly):
    def build(self):
        self.head.synapse.weight.role = Role.INVERSE_WEIGHT
