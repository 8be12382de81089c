"""Back-propagation as it is: every feedback is the forward weights themselves. Weight transport, declared."""

from lab import Lab

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*W2"}


class Museum(Lab):
    def path(self, projection):
        return self.network.feedback(projection, "bp")
