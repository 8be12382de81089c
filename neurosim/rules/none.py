"""none: a random encoder. Nothing learns; the floor of every table."""

from neurosim.rules.base import Rule


class RandomEncoder(Rule):
    """No phase: the initial weights are the encoder."""

    name = "none"
    summary = "random encoder: nothing learns, the floor"
