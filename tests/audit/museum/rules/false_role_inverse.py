"""As `false_role_feedback`, with the role of an inverse weight."""

from lab import HeadOnly

from neurosim.core.roles import Role

EXPECTED = {"exit": 1, "condition": "declared iii", "says": "H3"}


class Museum(HeadOnly):
    def build(self):
        self.back.synapse = self.head.synapse
        self.head.synapse.weight.role = Role.INVERSE_WEIGHT
