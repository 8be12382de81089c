"""Difference target propagation with learned inverses, the head's included. Innocent."""

from neurosim.rules.dtp import DifferenceTargetPropagation

EXPECTED = {"exit": 0}


class Museum(DifferenceTargetPropagation):
    pass
