"""Difference target propagation as published: the first target by the head's transposed weights. Transport."""

from neurosim.rules.dtp import DifferenceTargetPropagation

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


class Museum(DifferenceTargetPropagation):
    def __init__(self, network, loss):
        super().__init__(network, loss, top="transport")
