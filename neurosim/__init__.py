"""neurosim: deep networks that learn without labels as a brain might."""

__version__ = "0.1.0"
