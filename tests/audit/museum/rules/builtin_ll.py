"""The built-in layer-wise rule, by its class, from a file that is not the package's. Innocent."""

from neurosim.rules.ll import LayerWise

EXPECTED = {"exit": 0, "grade": "strictly local"}


class Museum(LayerWise):
    pass
