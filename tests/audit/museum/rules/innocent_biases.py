"""Fixed random feedback in a network with biases, a bent head, averages. Innocent."""

from lab import Lab

EXPECTED = {
    "exit": 0,
    "grade": "strictly local",
    "network": "4 hardtanh bias, 4 tanh bias pool, head average bias tanh",
}


class Museum(Lab):
    pass
