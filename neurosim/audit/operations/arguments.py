"""Small recording arrays in place of a step's buffers: random numbers, or those that lie in the buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.operations.judgement import FELT, place_of
from neurosim.audit.operations.operation import CHOICE
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.operations.recording import Recorded
    from neurosim.audit.operations.tape import Tape
    from neurosim.core.buffer import Buffer
    from neurosim.core.step import Step
    from neurosim.core.typing import Array

DRAWS = 4  # runs on random numbers, besides one on those that lie in the buffers
ROWS = 6  # of the axis along which a step may be cut
COUNTERS = (Role.MEMORY, Role.PLASTICITY)  # whose whole numbers count


def recorded_argument(step: Step, name: str, draw: int, tape: Tape) -> Recorded:
    """A small recording array for one argument of a step.

    Args:
        step: of a plan.
        name: of the argument.
        draw: 0 to `DRAWS` - 1: random numbers; `DRAWS`: as the buffer is.
        tape: what writes down.
    """
    buffer = step.buffers[name]
    shape = list(buffer.shape)
    if step.over in buffer.axes:
        place = buffer.axes.index(step.over)
        shape[place] = min(ROWS, shape[place])
    if name in step.writes or name in step.sums:
        blank = np.nan if name in step.writes and buffer.dtype.kind == "f" else 0
        return tape.new(np.full(shape, blank, buffer.dtype))
    constant = buffer.role in (Role.RATE, Role.DEFORMATION)
    whole_number = buffer.dtype.kind != "f"
    allocated = buffer.base._array is not None
    if constant or (draw == DRAWS and allocated) or (buffer.role is Role.VALUE and whole_number):
        array = buffer.array[tuple(slice(0, size) for size in shape)].copy()
    else:
        rng = np.random.default_rng([draw, *name.encode()])
        array = _drawn(buffer, shape, rng, place_of(step) == "gate")
    if constant or (whole_number and buffer.role in (*COUNTERS, Role.VALUE)):
        return tape.new(array)
    return tape.new(array, {CHOICE} if buffer.role is Role.GATE else {name})


def _drawn(buffer: Buffer, shape: list[int], rng: np.random.Generator, bounded: bool) -> Array:
    if buffer.dtype.kind != "f":
        if buffer.role in COUNTERS:
            return np.full(shape, 1000, buffer.dtype)  # the memory is full, the traces have converged
        return rng.integers(0, 5, shape).astype(buffer.dtype)
    values = rng.normal(size=shape)
    if buffer.role is Role.PLASTICITY:
        values = np.abs(values)  # squares are no less than 0
    if bounded and buffer.role in FELT:
        values = rng.uniform(-1, 1, shape)  # what a slope is asked for
    elif buffer.role in FELT:  # near and far rows, so that comparisons go both ways
        values *= 10 ** rng.uniform(-3, 0.5, (shape[0], *[1] * (len(shape) - 1)))
    return values.astype(buffer.dtype)
