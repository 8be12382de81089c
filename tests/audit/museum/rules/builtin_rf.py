"""The built-in rule of fixed random feedback. Innocent."""

from neurosim.rules.rf import RandomFeedback

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(RandomFeedback):
    pass
