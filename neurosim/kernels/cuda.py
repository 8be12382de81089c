"""A GPU by CuPy: its memory, CUDA texts compiled for it, and matrix products by cuBLAS."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from neurosim.core import tuning
from neurosim.core.device import Device
from neurosim.core.typing import Array
from neurosim.errors import DeviceError
from neurosim.kernels.sources import source_of
from neurosim.kernels.trouble import KINDS, first_line, in_one_line, no_room

Call = tuple[str, tuple[Any, ...]]
COMPUTE_DEFAULT, COMPUTE_TF32 = 1, 7  # CuPy's numbers for how float32 products are computed
TF32_FROM = 80  # compute capability 8.0, Ampere
INSTALL = (
    "run `pip install 'neurosim[gpu]'` (CUDA 12) or `pip install 'neurosim[gpu13]'` (CUDA 13), or take the device cpu"
)


class GpuDevice(Device, Protocol):
    """A device that runs CUDA texts: a GPU, or what stands for one in tests."""

    def launch(self, real: str, name: str, count: int, arguments: tuple[Any, ...]) -> None:
        """Run ``count`` elements of a function of a CUDA text."""
        ...

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        """Compute ``out = a b``, of matrices or of stacks of them."""
        ...

    def script(self, calls: list[Call]) -> Callable[[], None]:
        """What repeats launches and products on arrays that stay at their places."""
        ...


class Cuda:
    """The current GPU.

    Args:
        precision: ``float32``, ``float64``, or ``tf32``: products of float32 arrays with 10 bits of their fractions.

    Raises:
        DeviceError: no CuPy, no GPU, or one without tf32.
    """

    def __init__(self, precision: str = "float32") -> None:
        try:
            import cupy
        except ImportError as problem:
            why = (
                "is not installed"
                if isinstance(problem, ModuleNotFoundError)
                else f"cannot be imported ({first_line(problem)})"
            )
            raise DeviceError(f"device gpu was asked for and CuPy {why}", "CuPy and an NVIDIA GPU", INSTALL) from None
        self._cupy = cupy
        self._look()
        self._device = cupy.cuda.Device()
        self._functions: dict[tuple[str, str], Any] = {}  # (real, name) -> what launches it
        self._check(precision)
        self._compute = COMPUTE_TF32 if precision == "tf32" else COMPUTE_DEFAULT
        self._try("double" if precision == "float64" else "float")

    def _look(self) -> None:
        """Whether there is a GPU, and a driver that knows the CUDA of this CuPy.

        Raises:
            DeviceError: there is not.
        """
        runtime = self._cupy.cuda.runtime
        try:
            driver, needed = int(runtime.driverGetVersion()), int(runtime.runtimeGetVersion())
            if 0 < driver < needed // 1000 * 1000:  # within one major version an older driver does
                raise DeviceError(
                    f"device gpu was asked for and the driver knows CUDA {driver // 1000}, CuPy is for {needed // 1000}",
                    "a driver as new as CuPy's CUDA",
                    "renew the driver, or install the CuPy of its CUDA, or write --device cpu",
                )
            count = runtime.getDeviceCount()
        except DeviceError:
            raise
        except Exception as problem:  # CUDA's own, or a library that cannot be loaded
            raise DeviceError(
                f"device gpu was asked for and CUDA finds none ({first_line(problem)})",
                "an NVIDIA GPU and its driver",
                "run `nvidia-smi` to see whether the driver is there, or write --device cpu",
            ) from None
        if not count:
            raise DeviceError("device gpu was asked for and there is none", "an NVIDIA GPU", "write --device cpu")

    def _try(self, real: str) -> None:
        """Compile a text, run it and multiply, so that what is missing is said now and not in training.

        Raises:
            DeviceError: NVRTC or cuBLAS is missing, or the GPU does not answer.
        """
        one = self.zeros((1, 1), np.float64 if real == "double" else np.float32)
        self.launch(real, "copy", 1, (one, one))
        self.matmul(one, one, self.zeros((1, 1), one.dtype))
        self.host(one)

    def _check(self, precision: str) -> None:
        able = int(self._device.compute_capability)
        if precision == "tf32" and able < TF32_FROM:
            raise DeviceError(
                f"precision tf32 on a GPU of compute capability {able / 10}", "8.0 or more", "leave precision out"
            )

    @property
    def name(self) -> str:
        """What it is called."""
        name = self._cupy.cuda.runtime.getDeviceProperties(self._device.id)["name"]
        return name.decode() if isinstance(name, bytes) else str(name)

    def versions(self) -> dict[str, object]:
        """Of CuPy, of CUDA, of the driver."""
        runtime = self._cupy.cuda.runtime
        return {
            "cupy": self._cupy.__version__,
            "cuda": runtime.runtimeGetVersion(),
            "driver": runtime.driverGetVersion(),
        }

    @in_one_line
    def free(self) -> int:
        """Bytes that can still be had."""
        return int(self._device.mem_info[0] + self._cupy.get_default_memory_pool().free_bytes())

    @in_one_line
    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array of zeros on the GPU.

        Raises:
            DeviceError: it does not fit.
        """
        try:
            return self._cupy.zeros(shape, dtype)
        except Exception as problem:
            if KINDS.get(type(problem).__name__) != "memory":
                raise
            asked = int(np.prod(shape)) * np.dtype(dtype).itemsize
            raise no_room(asked, self.free()) from None

    @in_one_line
    def put(self, target: Any, values: Any) -> None:
        """Copy values of the host's memory, of the target's shape or spread over it."""
        target.set(np.ascontiguousarray(np.broadcast_to(values, target.shape), target.dtype))

    @in_one_line
    def host(self, array: Any) -> Array:
        """A copy in the host's memory; waits until all work before it is done."""
        found: Array = self._cupy.asnumpy(array)
        return found

    @in_one_line
    def rows(self, source: Any, index: Array, target: Any) -> None:
        """``target[i] = source[index[i]]``, both on the GPU, the index on the host."""
        self._cupy.take(source, self._cupy.asarray(index), axis=0, out=target)

    @in_one_line
    def launch(self, real: str, name: str, count: int, arguments: tuple[Any, ...]) -> None:
        """Run ``count`` elements of a function of a CUDA text; the text is compiled when one of its functions is first run.

        Args:
            real: ``float`` or ``double``, what REAL stands for.
            name: of the function.
            count: of elements, its last argument.
            arguments: arrays, whole numbers and floats, in the function's order.
        """
        if (real, name) not in self._functions:
            source = source_of(name)
            compiled = self._cupy.RawModule(code=source.whole, options=(f"-DREAL={real}",), backend="nvrtc")
            self._functions |= {(real, each): compiled.get_function(each) for each in source.names}
        given, threads = tuple(map(_typed, arguments)), tuning.GPU.threads
        self._functions[real, name]((-(-count // threads),), (threads,), (*given, np.uint32(count)))

    @in_one_line
    def matmul(self, a: Any, b: Any, out: Any) -> None:
        """Compute ``out = a b``, of matrices or of stacks of them; CuPy takes tf32 for the former only."""
        if self._cupy._core.get_compute_type(np.float32) != self._compute:
            self._cupy._core.set_compute_type(np.float32, self._compute)
        self._cupy.matmul(a, b, out=out)

    @in_one_line
    def script(self, calls: list[Call]) -> Callable[[], None]:
        """What repeats launches and products on arrays that stay at their places.

        Launches between two products become one CUDA graph; CuPy refuses cuBLAS within one.

        Args:
            calls: ``("launch", arguments)`` or ``("matmul", arguments)``, in order; each has been called once, so that every
                kernel is compiled and loaded.
        """
        parts: list[Callable[[], Any]] = []
        for name, few in groupby(calls, key=lambda call: call[0]):
            arguments = [each for _, each in few]
            if name == "launch" and len(arguments) > 1:
                parts.append(self._capture(arguments).launch)
            else:
                parts += [partial(getattr(self, name), *each) for each in arguments]

        @in_one_line
        def run(
            calls: list[Call] = calls,
        ) -> None:  # a graph knows addresses alone: the arrays must live as long as it does
            for part in parts:
                part()

        return run

    def _capture(self, launches: list[tuple[Any, ...]]) -> Any:
        """The CUDA graph of some launches, which are not run."""
        stream = self._cupy.cuda.Stream(non_blocking=True)  # the default stream cannot capture
        with stream:
            stream.begin_capture()
            try:
                for arguments in launches:
                    self.launch(*arguments)
            finally:
                graph = stream.end_capture()
        return graph

    @in_one_line
    def wait(self) -> None:
        """Until all work is done: for measuring."""
        self._cupy.cuda.Stream.null.synchronize()


def _typed(argument: Any) -> Any:
    """A number as C has it: double or int; arrays as they are."""
    if isinstance(argument, float):
        return np.float64(argument)
    return np.int32(argument) if isinstance(argument, (int, np.integer)) else argument
