"""What the GPU's forms of kernels are given first: launches, products, workspace, and the repetition of both.

What runs them is a *device*: `neurosim.kernels.cuda.Cuda` is a GPU by CuPy; the tests bring one that compiles the CUDA texts
as plain C++ and runs their threads one after another, so that launches and arithmetic are checked where there is no GPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from neurosim.core import tuning
from neurosim.errors import ShapeError
from neurosim.kernels.cuda import GpuDevice
from neurosim.kernels.sources import register

COMMON = register(Path(__file__).with_name("common.cu"))
REALS = {"float32": "float", "float64": "double"}  # what REAL stands for in CUDA texts
TYPES = {"uint8": 0, "float32": 1, "float64": 2}  # of arrays whose type a CUDA function is given as a number
LARGEST = 2**31  # elements of an array: CUDA texts count with 32 bits


class Gpu:
    """Launches and products on one device; arrays are the device's own.

    Nothing here waits for the device: launches and products follow one another in its own order.

    Args:
        device: see `neurosim.kernels.cuda.GpuDevice`.
    """

    def __init__(self, device: GpuDevice):
        self.device = device
        self._held: dict[str, Any] = {}
        self._noted: list[tuple[str, tuple[Any, ...]]] | None = None
        self._moved = 0
        self._scripts: WeakKeyDictionary[object, Callable[[], None]] = (
            WeakKeyDictionary()
        )  # who runs the same work again

    def repeat(self, who: object, work: Callable[[], None]) -> None:
        """Run work that launches and multiplies the same at every run, on arrays that stay at their places.

        The first run notes every launch and product; later ones repeat what was noted, by CUDA graphs where the device has
        them, and none of the code that led to it.

        Args:
            who: whose work it is; what was noted is forgotten with it.
            work: called without arguments. Whatever it does on the device goes through `launch` and `matmul`.
        """
        if who in self._scripts:
            self._scripts[who]()
            return
        noted: list[tuple[str, tuple[Any, ...]]] = []
        self._noted, moved = noted, self._moved
        try:
            work()
        finally:
            self._noted = None
        if moved == self._moved:  # else some workspace was given more memory: the next run is noted
            self._scripts[who] = self.device.script(noted)

    def workspace(self, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        """An undefined array, valid until the same name is asked for again; its memory grows and is kept."""
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        held = self._held.get(name)
        if held is None or held.size < size:
            if self._held.pop(name, None) is not None:
                self._moved += 1
                self._scripts.clear()  # they would hold on to the smaller memory
                if self._noted is not None:
                    self._noted.clear()
            held = self._held[name] = self.device.zeros((size,), np.uint8)
        return held[:size].view(dtype).reshape(shape)

    def numbers(self, count: int) -> Any:
        """0, 1, ... count - 1, int64; made once."""
        name = f"numbers {count}"
        if name not in self._held:
            self._held[name] = self.device.zeros((count,), np.int64)
            self.device.put(self._held[name], np.arange(count))
        return self._held[name]

    def double(self, name: str, array: Any) -> Any:
        """The array in float64: itself where it is, as the parameters of a deformation are; else workspace of a name."""
        if array.dtype == np.float64:
            return array
        wide = self.workspace(name, array.shape, np.float64)
        self.launch(array.dtype, "widen", wide.size, array, wide, TYPES[array.dtype.name])
        return wide

    def clear(self, total: Any) -> None:
        """0 everywhere."""
        words = total.reshape(-1).view(np.uint32)
        self.launch("float32", "clear", words.size, words)

    def collect(self, partial: Any, value: Any) -> None:
        """``value[f] += sum of partial[f]``, ``(figure, part)``, float64."""
        figures, parts = partial.shape
        sums = tuning.GPU.partial_sums
        if parts > sums:
            folded = self.workspace("folded", (figures, sums), "float64")
            self.launch("float32", "fold", folded.size, partial, folded, parts, sums)
            partial, parts = folded, sums
        self.launch("float32", "collect", figures, partial, value, parts)

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        """Compute ``out = a b``."""
        self._do("matmul", a, b, out)

    def launch(self, real: Any, name: str, count: int, *arguments: Any) -> None:
        """Run a function of a CUDA text, ``count`` elements of it; see `neurosim.kernels.cuda.Cuda.launch`.

        Raises:
            ShapeError: an array that is too large, or not contiguous.
        """
        for array in arguments:
            if hasattr(array, "dtype") and (array.size >= LARGEST or not array.flags.c_contiguous):
                raise ShapeError(
                    f"kernel {name} is given {'x'.join(map(str, array.shape))} elements",
                    f"fewer than {LARGEST} elements, side by side",
                    "choose a smaller batch",
                )
        if count:
            self._do("launch", REALS[np.dtype(real).name], name, count, arguments)

    def _do(self, name: str, *arguments: Any) -> None:
        if self._noted is not None:
            self._noted.append((name, arguments))
        getattr(self.device, name)(*arguments)
