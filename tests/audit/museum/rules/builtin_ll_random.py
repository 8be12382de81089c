"""The built-in layer-wise rule, one layer a batch by lot. Innocent."""

from neurosim.rules.ll import LayerWise

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(LayerWise):
    def __init__(self, network, loss):
        super().__init__(network, loss, order="random", feedback="sign")
