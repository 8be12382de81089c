"""A rule in which nothing learns: no weight changes, no error is delivered; every condition holds of nothing."""

from neurosim.rules import Rule

EXPECTED = {"exit": 3, "process": True}


class Museum(Rule):
    name = "idle"
