"""What holds arrays that are not in the host's memory."""

from __future__ import annotations

from typing import Any, Protocol

from neurosim.core.typing import Array


class Device(Protocol):
    """A GPU, or what stands for one in tests (see `neurosim.kernels.cuda.Cuda`); arrays are the device's own."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def free(self) -> int:
        """Bytes that can still be had."""
        ...

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array of zeros on the device."""
        ...

    def put(self, target: Any, values: Any) -> None:
        """Copy values of the host's memory into an array of the device."""
        ...

    def host(self, array: Any) -> Array:
        """A copy in the host's memory."""
        ...

    def rows(self, source: Any, index: Array, target: Any) -> None:
        """``target[i] = source[index[i]]``, both arrays on the device, the index on the host."""
        ...
