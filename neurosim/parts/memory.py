"""The short-term memory: a ring of postsynaptic traces, carried across batches, so that the stream has no seams."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.errors import ShapeError


class ShortTermMemory:
    """The activities of a population at the last ``capacity`` moments of the stream.

    Args:
        name: of its ring, as in the equations.
        capacity: moments it holds; a batch of N moments and K lags need N + K - 1.
        units: D, the population's size.
        dtype: of the traces.

    Raises:
        ShapeError: no room for a moment.

    Example:
        >>> memory = ShortTermMemory("M", capacity=3, units=2)
        >>> for moment in range(5):
        ...     memory.store([moment, -moment])
        >>> memory.recall(lag=0).tolist(), memory.recall(lag=2).tolist()
        ([4.0, -4.0], [2.0, -2.0])
    """

    def __init__(self, name: str, capacity: int, units: int, dtype=np.float32):
        if capacity < 1:
            raise ShapeError(f"a memory of {capacity} moments", "a capacity of at least 1", "ask for more lags")
        self.capacity = capacity
        self.trace = Buffer(name, ("moment_stored", "unit"), (capacity, units), "memory", name, dtype)
        self.cursor = Buffer(f"{name} cursor", ("one",), (1,), "memory", name, np.int64)

    def push(self, activity: Buffer) -> Iterator[Step]:
        """The step that stores a batch ``(sample, unit)`` of activities in the order of the stream."""
        yield Step("push", f"{self.trace.name} stores {activity.name}", f"{self.trace.name}[t] = {activity.name}[t]",
                   {"activity": activity}, updates={"trace": self.trace, "cursor": self.cursor})  # fmt: skip

    def store(self, activity) -> None:
        """Store one moment's activity ``(unit,)`` at once, outside a plan."""
        cursor = self.cursor.array
        self.trace.array[cursor[0] % self.capacity] = activity
        cursor[0] += 1

    def recall(self, lag: int) -> np.ndarray:
        """The trace of ``lag`` moments ago, ``(unit,)``; lag 0 is the newest.

        Raises:
            ShapeError: nothing is stored at that lag, or no longer.
        """
        stored = int(self.cursor.array[0])
        if not 0 <= lag < min(stored, self.capacity):
            raise ShapeError(f"lag {lag} of a memory that holds {min(stored, self.capacity)} moments",
                             "a lag from 0 to one less", "store more, or ask for a smaller lag")  # fmt: skip
        return self.trace.array[(stored - 1 - lag) % self.capacity].copy()
