"""The head reads by an array whose role is said to be that of feedback: then the feedback that borrows it looks innocent."""

from lab import HeadOnly

from neurosim.core.roles import Role

EXPECTED = {"exit": 1, "condition": "declared iii", "says": "H3"}


class Museum(HeadOnly):
    def build(self):
        self.back.synapse = self.head.synapse
        self.head.synapse.weight.role = Role.FEEDBACK_WEIGHT
