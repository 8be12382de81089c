"""The sizes of an array, as NumPy's own arrays show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurosim.core.typing import Array


class Sized:
    """Holds a plain array and has its sizes.

    Args:
        array: the plain numbers.
    """

    __slots__ = ("array",)

    def __init__(self, array: Array):
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along every axis."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """How many axes."""
        return self.array.ndim

    @property
    def size(self) -> int:
        """How many numbers."""
        return self.array.size

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all numbers."""
        return self.array.nbytes

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one number to the next, along every axis."""
        return self.array.strides
