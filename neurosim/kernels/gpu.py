"""The kernels of the GPU: the functions and arguments of the reference, as launches of gpu.cu and products by cuBLAS.

What runs them is a *machine*: `neurosim.kernels.cuda.Cuda` is a GPU by CuPy; the tests bring one that compiles gpu.cu as
plain C++ and runs its threads one after another, so that launches and arithmetic are checked where there is no GPU.
"""

from __future__ import annotations

import math
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from neurosim.errors import ShapeError
from neurosim.kernels.gpu_convolution import Convolutions
from neurosim.kernels.gpu_losses import Losses
from neurosim.kernels.gpu_units import KINDS, Units

SOURCE = Path(__file__).with_name("gpu.cu")
REALS = {"float32": "float", "float64": "double"}  # what REAL stands for in gpu.cu
LARGEST = 2**31  # elements of an array: gpu.cu counts with 32 bits


class Gpu(Convolutions, Units, Losses):
    """The kernels on one machine, one method a kernel of `neurosim.kernels.reference`; arrays are the machine's own.

    Nothing here waits for the machine: launches and products follow one another in its own order.

    Args:
        machine: offers ``zeros``, ``put``, ``host``, ``launch``, ``matmul``, ``script`` and ``free``, see
            `neurosim.kernels.cuda.Cuda`.
    """

    def __init__(self, machine):
        self.machine, self._held, self._noted, self._moved = machine, {}, None, 0
        self._scripts = WeakKeyDictionary()  # who runs the same work again and again -> what repeats it

    def repeat(self, who, work) -> None:
        """Run work that launches and multiplies the same at every run, on arrays that stay at their places.

        The first run notes every launch and product; later ones repeat what was noted, by CUDA graphs where the machine has
        them, and none of the code that led to it.

        Args:
            who: whose work it is; what was noted is forgotten with it.
            work: called without arguments. Whatever it does on the machine goes through `launch` and `matmul`.
        """
        if who in self._scripts:
            self._scripts[who]()
            return
        self._noted, moved = [], self._moved
        try:
            work()
        finally:
            noted, self._noted = self._noted, None
        if moved == self._moved:  # else a lent array was given more memory: the next run is noted
            self._scripts[who] = self.machine.script(noted)

    def take(self, name: str, shape: tuple[int, ...], dtype):
        """Lends an array, undefined, valid until the same name is taken again; its memory grows and is kept."""
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        held = self._held.get(name)
        if held is None or held.size < size:
            if self._held.pop(name, None) is not None:
                self._moved += 1
                for noted in (self._scripts, self._noted or []):
                    noted.clear()  # they would hold on to the smaller memory
            held = self._held[name] = self.machine.zeros((size,), np.uint8)
        return held[:size].view(dtype).reshape(shape)

    def numbers(self, count: int):
        """0, 1, ... count - 1, int64; made once."""
        name = f"numbers {count}"
        if name not in self._held:
            self._held[name] = self.machine.zeros((count,), np.int64)
            self.machine.put(self._held[name], np.arange(count))
        return self._held[name]

    def double(self, name: str, array):
        """The array in float64: itself where it is, as the parameters of a deformation are; else lent under a name."""
        if array.dtype == np.float64:
            return array
        wide = self.take(name, array.shape, np.float64)
        self.launch(array.dtype, "widen", wide.size, array, wide, KINDS[array.dtype.name])
        return wide

    def clear(self, total) -> None:
        """0 everywhere."""
        words = total.reshape(-1).view(np.uint32)
        self.launch("float32", "clear", words.size, words)

    def matmul(self, a, b, out) -> None:
        """out = a b."""
        self._do("matmul", a, b, out)

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
            self._do("launch", REALS[np.dtype(real).name], name, count, arguments)

    def _do(self, name: str, *arguments) -> None:
        if self._noted is not None:
            self._noted.append((name, arguments))
        getattr(self.machine, name)(*arguments)


def names() -> list[str]:
    """The kernels of gpu.cu."""
    return [line[7 : line.index("(")] for line in SOURCE.read_text().splitlines() if line.startswith("KERNEL ")]
