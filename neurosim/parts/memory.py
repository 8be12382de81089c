"""The short-term memory: a ring of postsynaptic traces, carried across batches, so that the stream has no seams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel, Kind
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.errors import ShapeError
from neurosim.kernels.sources import register

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.kernels.gpu import Gpu


class ShortTermMemory:
    """The activities of a population at the last ``capacity`` moments of the stream.

    Args:
        name: of its ring, as in the equations.
        capacity: moments it holds; a batch of N moments and K lags need N + K - 1.
        units: D, the population's size.
        dtype: of the traces.

    Raises:
        ShapeError: a capacity below one.

    Example:
        >>> memory = ShortTermMemory("M", capacity=3, units=2)
        >>> for moment in range(5):
        ...     memory.store([moment, -moment])
        >>> memory.recall(lag=0).tolist(), memory.recall(lag=2).tolist()
        ([4.0, -4.0], [2.0, -2.0])
    """

    def __init__(self, name: str, capacity: int, units: int, dtype: DTypeLike = np.float32):
        if capacity < 1:
            raise ShapeError(f"a memory of {capacity} moments", "a capacity of at least 1", "ask for more lags")
        self.capacity = capacity
        axes, shape = ("moment_stored", "unit"), (capacity, units)
        self.trace = Buffer(name, axes, shape, Role.MEMORY, name, dtype, lasts=True)
        self.cursor = Buffer(f"{name} cursor", ("one",), (1,), Role.MEMORY, name, np.int64, lasts=True)

    def push(self, activity: Buffer) -> Iterator[Step]:
        """The step that stores a batch ``(sample, unit)`` of activities in the order of the stream."""
        yield Step(
            push,
            f"{self.trace.name} stores {activity.name}",
            f"{self.trace.name}[t] = {activity.name}[t]",
            {"activity": activity, "trace": self.trace, "cursor": self.cursor},
        )

    def store(self, activity: ArrayLike) -> None:
        """Store one moment's activity ``(unit,)`` at once, outside a plan."""
        cursor = self.cursor.array
        self.trace.array[cursor[0] % self.capacity] = activity
        cursor[0] += 1

    def recall(self, lag: int) -> Array:
        """The trace of ``lag`` moments ago, ``(unit,)``; lag 0 is the newest.

        Raises:
            ShapeError: nothing is stored at that lag, or no longer.
        """
        stored = int(self.cursor.array[0])
        if not 0 <= lag < min(stored, self.capacity):
            raise ShapeError(
                f"lag {lag} of a memory that holds {min(stored, self.capacity)} moments",
                "a lag from 0 to one less",
                "store more, or ask for a smaller lag",
            )
        trace: Array = self.trace.array[(stored - 1 - lag) % self.capacity].copy()
        return trace


push = Kernel(
    "push",
    kind=Kind.STORE,
    reads={"activity": "moment unit"},
    updates={"trace": "stored unit", "cursor": "1: index"},
    equation="trace[t mod stored] = activity[t]; cursor += moment",
)


@push.reference
def _(activity: Array, trace: Array, cursor: Array) -> None:
    """Store a batch of postsynaptic activities in the ring; the oldest are overwritten.

    Args:
        activity: ``(N, D)``, in the order of the stream.
        trace: ``(capacity, D)``, the ring.
        cursor: int64 ``(1,)``, how many were ever stored; the next goes to row ``cursor modulo capacity``.
    """
    for row in activity:
        trace[cursor[0] % len(trace)] = row
        cursor[0] += 1


@push.cpu
def _(activity: Array, trace: Array, cursor: Array) -> None:
    newest = activity[-len(trace) :]
    first = int(cursor[0]) + len(activity) - len(newest)
    trace[(first + np.arange(len(newest))) % len(trace)] = newest
    cursor[0] += len(activity)


@push.gpu
def _(gpu: Gpu, activity: Array, trace: Array, cursor: Array) -> None:
    capacity, units = trace.shape
    stored = min(len(activity), capacity)
    first = len(activity) - stored
    gpu.launch(trace.dtype, "store", stored * units, activity, trace, cursor, first, capacity, units)
    gpu.launch(trace.dtype, "advance", 1, cursor, len(activity))


register("""
/* Rows from `first` on go into the ring; the cursor moves in a launch of its own. */
KERNEL store(const REAL *activity, REAL *trace, const Long *cursor, int first, int capacity, int units, Index count)
{
    EACH(i) {
        Index row = first + i / units, u = i % units;
        trace[(cursor[0] + row) % capacity * units + u] = activity[row * units + u];
    }
}
""")
