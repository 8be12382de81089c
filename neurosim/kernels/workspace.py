"""Working memory that kernels share from call to call, so that a step allocates nothing once it has run."""

import math
import threading

import numpy as np


class _Arena(threading.local):
    """Named byte arrays of each thread and what is laid out in them: two team never meet in the same scratch."""

    def __init__(self):
        self.bytes, self.kept = {}, {}


_ARENA = _Arena()


def thread_local(name: str, shape: tuple[int, ...], dtype) -> np.ndarray:
    """Lends an array of this thread's own, valid until the same thread takes the same name again.

    Args:
        name: which scratch; two arrays needed at the same time need two names. A kernel prefixes its own.
        shape: any shape; the memory behind a name grows to the largest size asked for, and is then reused.
        dtype: any NumPy type without references.

    Returns:
        A contiguous array whose contents are undefined: the caller writes before it reads.

    Notes:
        Names belong to a thread, so a plan's team need no lock, and what a kernel leaves behind can never reach
        a result: kernels are tested with the scratch filled with NaN.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    held = _ARENA.bytes.get(name)
    if held is None or held.size < size:
        held = _ARENA.bytes[name] = np.empty(size, np.uint8)
        _ARENA.kept.clear()  # it would hold on to the smaller memory
    return held[:size].view(dtype).reshape(shape)


def chunks(count: int, size: int) -> list[slice]:
    """Slices that cut so many rows, or channels, into pieces of a size; the last one may be smaller."""
    return [slice(start, start + size) for start in range(0, count, size)]


def cached(make, *key):
    """``make(*key)``, which takes arrays and lays views over them: made once a thread, and anew once a name has grown.

    A view takes as long to make as a small product to run, and threads wait for each other while they make them.

    Args:
        make: a function; the arrays that it takes hold nothing from one call to the next.
        key: its arguments, hashable.
    """
    found = _ARENA.kept.get((make, key))
    if found is None:
        found = make(*key)
        _ARENA.kept[make, key] = found
    return found


def poison() -> None:
    """Fills every scratch of the calling thread with bytes that read as NaN in any floating type (for tests)."""
    for held in _ARENA.bytes.values():
        held.fill(0xFF)
