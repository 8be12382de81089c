"""The kernels of the GPU: the functions and arguments of the reference, as launches of gpu.cu and products by cuBLAS.

What runs them is a *machine*: `neurosim.kernels.cuda.Cuda` is a GPU by CuPy; the tests bring one that compiles gpu.cu as
plain C++ and runs its threads one after another, so that launches and arithmetic are checked where there is no GPU.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from neurosim.errors import ShapeError
from neurosim.kernels.gpu_convolution import Convolutions
from neurosim.kernels.gpu_losses import Losses
from neurosim.kernels.gpu_units import Units

SOURCE = Path(__file__).with_name("gpu.cu")
REALS = {"float32": "float", "float64": "double"}  # what REAL stands for in gpu.cu
LARGEST = 2**31  # elements of an array: gpu.cu counts with 32 bits


class Gpu(Convolutions, Units, Losses):
    """The kernels on one machine, one method a kernel of `neurosim.kernels.reference`; arrays are the machine's own.

    Nothing here waits for the machine: launches and products follow one another in its own order.

    Args:
        machine: offers ``zeros``, ``put``, ``host``, ``launch``, ``matmul`` and ``free``, see `neurosim.kernels.cuda.Cuda`.
    """

    def __init__(self, machine):
        self.machine, self._held = machine, {}

    def take(self, name: str, shape: tuple[int, ...], dtype):
        """Lends an array, undefined, valid until the same name is taken again; its memory grows and is kept."""
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        held = self._held.get(name)
        if held is None or held.size < size:
            self._held.pop(name, None)
            held = self._held[name] = self.machine.zeros((size,), np.uint8)
        return held[:size].view(dtype).reshape(shape)

    def numbers(self, count: int):
        """0, 1, ... count - 1, int64; made once."""
        name = f"numbers {count}"
        if name not in self._held:
            self._held[name] = self.machine.zeros((count,), np.int64)
            self.machine.put(self._held[name], np.arange(count))
        return self._held[name]

    def double(self, array):
        """The array in float64: itself where it is, as the parameters of a deformation are."""
        return array if array.dtype == np.float64 else array.astype(np.float64)

    def matmul(self, a, b, out) -> None:
        """out = a b."""
        self.machine.matmul(a, b, out)

    def launch(self, real, name: str, count: int, *arguments) -> None:
        """Run a kernel of gpu.cu, ``count`` elements of it; see `neurosim.kernels.cuda.Cuda.launch`.

        Raises:
            ShapeError: an array that is too large, or not contiguous.
        """
        for array in arguments:
            if hasattr(array, "dtype") and (array.size >= LARGEST or not array.flags.c_contiguous):
                raise ShapeError(f"kernel {name} was given {'x'.join(map(str, array.shape))} elements",
                                 f"fewer than {LARGEST} elements, side by side", "write a smaller --batch")  # fmt: skip
        if count:
            self.machine.launch(REALS[np.dtype(real).name], name, count, arguments)


def names() -> list[str]:
    """The kernels of gpu.cu."""
    return [line[7 : line.index("(")] for line in SOURCE.read_text().splitlines() if line.startswith("KERNEL ")]
