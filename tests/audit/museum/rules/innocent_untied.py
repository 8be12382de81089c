"""Fixed random feedback in a network whose every place has weights of its own: no weight is shared over places."""

from lab import Lab

EXPECTED = {"exit": 0, "grade": "strictly local", "network": "4 local hardtanh, 4 local hardtanh"}


class Museum(Lab):
    pass
