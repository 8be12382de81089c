"""Fixed random feedback, written out from parts: what all disguises of this museum start from. Innocent."""

from lab import Lab

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(Lab):
    pass
