"""One layer below a head, fixed random feedback: the shortest rule of this museum. Innocent."""

from lab import HeadOnly

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(HeadOnly):
    pass
