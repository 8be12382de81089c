"""The built-in rule that sends the signs of its own feedback weights. Innocent."""

from neurosim.rules.sign import SignOfFeedback

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(SignOfFeedback):
    pass
