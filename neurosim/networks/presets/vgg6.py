"""The published network for STL-10 (Tang, Yang, Amit 2022; after Illing et al. 2021)."""

from neurosim.networks.presets.base import Preset


class Vgg6(Preset):
    """Six convolutions of hardtanh units, four of them pooled; heads read means of 2 x 2 windows."""

    name = "vgg6"
    text = (
        "128 hardtanh, 256 hardtanh pool, 256 hardtanh, 512 hardtanh pool, 1024 hardtanh pool, 1024 hardtanh pool, "
        "head average"
    )
