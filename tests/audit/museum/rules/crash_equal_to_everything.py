"""Back-propagation with feedback whose comparison operators lie: every array compares equal to every other."""

from lab import Lab

from neurosim.parts.transported import TransportedFeedback

EXPECTED = {"exit": 1, "condition": "iii"}


class Alike(TransportedFeedback):
    kind = "urf"

    def __eq__(self, other):
        return True

    __hash__ = object.__hash__


class Museum(Lab):
    def path(self, projection):
        return Alike(projection)
