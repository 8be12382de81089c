"""The built-in layer-wise rule with the head's own weights as feedback, as in the paper's comparison: transport."""

from neurosim.rules.ll import LayerWise

EXPECTED = {"exit": 1, "condition": "iii", "says": "H3"}


class Museum(LayerWise):
    def __init__(self, network, loss):
        super().__init__(network, loss, feedback="bp")
