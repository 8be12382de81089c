"""A small network for the built-in images."""

from neurosim.networks.presets.base import Preset


class Small(Preset):
    """Four linear layers, each pooled."""

    name = "small"
    text = "32 pool, 64 pool, 128 pool, 256 pool"
