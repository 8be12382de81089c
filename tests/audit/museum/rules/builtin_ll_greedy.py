"""The built-in layer-wise rule, layer after layer, with fixed feedback. Innocent."""

from neurosim.rules.ll import LayerWise

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(LayerWise):
    def __init__(self, network, loss):
        super().__init__(network, loss, order="greedy", feedback="rf")
