"""Models out of an experiment, and weights back in: ONNX, safetensors and NumPy's archives.

An ONNX graph is translated from the plan that encodes, step by step: `operators` has one function a kernel, and a kernel
without one is refused by its name. What may be added: another format, or the operators of a kernel. This room knows the front
door of the package alone.
"""

from neurosim.export.exported import Exported, describe, write
from neurosim.export.weights import load, put, read

__all__ = ["Exported", "describe", "load", "put", "read", "write"]
