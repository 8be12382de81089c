"""Working memory that kernels share from call to call, so that a step allocates nothing once it has run."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from neurosim.core import tuning
from neurosim.core.typing import Array

Made = TypeVar("Made")


class _Arena(threading.local):
    """Named byte arrays of each thread and what is laid out in them: two threads never share scratch."""

    def __init__(self) -> None:
        self.bytes: dict[str, Array] = {}
        self.cached: dict[tuple[Callable[..., Any], tuple[Hashable, ...]], Any] = {}


_ARENA = _Arena()


def thread_local(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """An array of this thread's own, valid until the same thread asks for the same name again.

    Args:
        name: which scratch; two arrays needed at the same time need two names.
        shape: any shape; the memory behind a name grows to the largest size asked for, and is then reused.
        dtype: any NumPy type without references.

    Returns:
        A contiguous array whose contents are undefined: the caller writes before it reads.

    Notes:
        Names belong to a thread, so threads need no lock, and what a kernel leaves behind can never reach a result:
        kernels are tested with the scratch filled with NaN.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    memory = _ARENA.bytes.get(name)
    if memory is None or memory.size < size:
        memory = _ARENA.bytes[name] = np.empty(size, np.uint8)
        _ARENA.cached.clear()  # it would hold on to the smaller memory
    return memory[:size].view(dtype).reshape(shape)


def cached(make: Callable[..., Made], *key: Hashable) -> Made:
    """``make(*key)``, which lays views over scratch: made once a thread, and anew once the memory of a name has grown.

    A view takes as long to make as a small product to run, and threads wait for each other while they make them.

    Args:
        make: a function; the scratch that it uses holds nothing from one call to the next.
        key: its arguments. Whatever the views depend on is among them.

    Returns:
        what ``make`` returned.
    """
    found = _ARENA.cached.get((make, key))
    if found is None:
        found = make(*key)
        _ARENA.cached[make, key] = found
    return found


def chunks(count: int, size: int) -> list[slice]:
    """Slices that cut so many rows, or channels, into chunks of a size; the last one may be smaller."""
    return [slice(start, start + size) for start in range(0, count, size)]


def gpu_chunks(count: int, row_bytes: int) -> list[slice]:
    """Slices of a few rows whose patches a GPU lays out at once, within `neurosim.core.tuning.GpuTuning.patch_bytes`.

    Args:
        count: rows in all.
        row_bytes: bytes of the patches of one row.
    """
    return chunks(count, max(1, tuning.GPU.patch_bytes // row_bytes))


def poison() -> None:
    """Fill every scratch of the calling thread with bytes that read as NaN in any floating type (for tests)."""
    for memory in _ARENA.bytes.values():
        memory.fill(0xFF)
