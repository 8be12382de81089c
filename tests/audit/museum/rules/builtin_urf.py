"""The built-in rule of feedback that learns by its own outer products. Innocent."""

from neurosim.rules.urf import UpdatedRandomFeedback

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(UpdatedRandomFeedback):
    pass
