"""The feedback says that it is fixed and its own; its class was changed after it was made, and sends the head's weights."""

from lab import HeadOnly

from neurosim.parts.transported import TransportedFeedback

EXPECTED = {"exit": 1, "condition": "declared iii", "says": "H3"}


class Quiet(TransportedFeedback):
    """Fixed, random, its own."""

    kind = "rf"


class Museum(HeadOnly):
    def build(self):
        self.back.__class__ = Quiet
