"""The published network for CIFAR (Tang, Yang, Amit 2022)."""

from neurosim.networks.presets.base import Preset


class Conv5(Preset):
    """Five convolutions, of which two are hardtanh; 4 x 4 x 512 units at the top."""

    name = "conv5"
    text = "32 hardtanh, 32 pool, 64 hardtanh, 64 pool, 512 pool"
