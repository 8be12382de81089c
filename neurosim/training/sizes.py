"""Which networks go with pictures of which sizes, for whoever asks before training."""

from neurosim.networks.text import fitting

__all__ = ["fitting"]
