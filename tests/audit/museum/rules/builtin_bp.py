"""Back-propagation by its class: transport."""

from neurosim.rules.bp import BackPropagation

EXPECTED = {"exit": 1, "condition": "iii", "says": "W3.*W2"}


class Museum(BackPropagation):
    pass
