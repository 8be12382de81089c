"""The published network of target propagation (Tang, Yang, Amit 2022)."""

from neurosim.networks.presets.base import Preset


class Conv4Tanh(Preset):
    """Four pooled convolutions of tanh units with biases."""

    name = "conv4-tanh"
    text = "32 bias tanh pool, 64 bias tanh pool, 128 bias tanh pool, 256 bias tanh pool, head bias tanh"
