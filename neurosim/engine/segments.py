"""Segments: consecutive steps over one axis, cut into blocks and lanes.

The rows of a segment are cut into blocks of a size that depends on the arrays alone; block i belongs to lane i modulo
the number of lanes; a lane runs its blocks one after another, each through all the steps of the segment while it lies in
the cache, and sums into arrays of its own. The lanes' sums are then added in order. Threads take whole lanes, so that any
number of threads gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from neurosim.core import tuning
from neurosim.core.backend import Backend
from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.core.typing import Array
from neurosim.engine.arena import allocate, view_at
from neurosim.engine.threads import ThreadTeam

Span = tuple[int, int]
Place = tuple[int, tuple[int, ...], np.dtype[Any]]
Cut = tuple[str, str, tuple[slice, ...], tuple[int, ...]]


def cut_into_segments(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Cut a list where the axis changes, or where a step needs what only all blocks together have made."""
    segment: list[Step] = []
    for step in steps:
        if segment and not _continues(segment, step):
            yield segment
            segment = []
        segment.append(step)
    if segment:
        yield segment


def spans(runs: list[list[Step]]) -> dict[int, Span]:
    """The first and the last run of steps that use each buffer, by its id."""
    found: dict[int, Span] = {}
    for number, steps in enumerate(runs):
        for buffer in (b.base for step in steps for b in step.buffers.values()):
            found[id(buffer)] = (found.get(id(buffer), (number, number))[0], number)
    return found


def _continues(segment: list[Step], step: Step) -> bool:
    """Whether a step goes on with the blocks of a segment."""
    same = bool(step.over) and _cut(segment[-1]) == _cut(step)
    return same and _agree([*segment, step]) and not _waits(step, segment)


def _waits(step: Step, segment: list[Step]) -> bool:
    """Whether a step touches a buffer changed in the segment other than by the rows of its own block."""
    changed = {id(b.base): _first_row(s, b) for s in segment for b in s.changed.values()}
    summed = {id(b.base) for s in segment for b in s.sums.values()}
    for b in step.buffers.values():
        if id(b.base) not in changed:
            continue
        if id(b.base) in summed or changed[id(b.base)] != _first_row(step, b) or step.over not in b.axes:
            return True
    return False


def _first_row(step: Step, buffer: Buffer) -> int | None:
    """The first row of the base that block 0 of a step sees."""
    return buffer.start if step.over in buffer.axes else None


def _cut(step: Step) -> tuple[str, int] | None:
    return (step.over, min(step.extents)) if step.over else None


def _agree(steps: list[Step]) -> bool:
    """Whether steps over one axis do with blocks of one size.

    Of the rows that some of them ask for, if the others have enough blocks for all lanes then, and not too large ones.
    """
    asked = {step.rows for step in steps}
    if len(asked) == 1:
        return True
    rows = max(rows or 0 for rows in asked)
    many = -(-min(steps[0].extents) // rows) >= tuning.CPU.lanes
    return asked == {None, rows} and many and rows * max(map(_bytes_per_row, steps)) <= 4 * tuning.CPU.block_bytes


def _bytes_per_row(step: Step) -> int:
    return max(1, sum(b.nbytes for b in step.buffers.values() if step.over in b.axes) // min(step.extents))


def _rows_of_block(steps: list[Step], extent: int) -> int:
    """How many rows a block of a segment holds."""
    wanted = max((step.rows or 0 for step in steps), default=0)
    if wanted:
        return wanted
    over = steps[0].over
    widest = max((_bytes_per_row(step) for step in steps), default=1) if over else 1
    lanes = tuning.CPU.lanes  # at least one block a lane, so that no thread idles
    while over in ("sample", "moment") and lanes > 2 and extent < lanes * tuning.CPU.least_rows:
        lanes //= 2
    most = max(tuning.CPU.block_bytes // widest, min(2 * tuning.CPU.least_rows, 4 * tuning.CPU.block_bytes // widest))
    return max(1, min(most, -(-extent // lanes)))


class Segment:
    """Consecutive steps that work over one axis, cut into blocks and lanes; `bind` them to kernels and arrays, then run.

    Attributes:
        steps: in order.
        block: rows of a block.
        local: buffers that exist only as one block for each thread, by name.
        lanes: how many.
        sums: buffers that the lanes sum into arrays of their own first, by name.
    """

    def __init__(self, steps: list[Step], local: set[int]):
        self.steps = steps
        extent = min(steps[0].extents) if steps[0].over else 1
        self.block = _rows_of_block(steps, extent)
        self._bounds = [(start, min(start + self.block, extent)) for start in range(0, extent, self.block)]
        self.sums = {b.name: b for step in steps for b in step.sums.values()}
        self.local = {b.base.name: b.base for step in steps for b in step.buffers.values() if id(b.base) in local}
        self.lanes = min(tuning.CPU.lanes, len(self._bounds))

    def bind(self, backend: Backend, sums: Mapping[str, Array]) -> None:
        """Use the arrays that buffers have now.

        Args:
            backend: whose forms of the kernels are run.
            sums: name of each of `sums` -> ``(lane, ...)``, what each lane sums.
        """
        over = self.steps[0].over
        blocks = self._blocks(over)
        every = tuning.CPU.lanes
        self._lanes = [
            _Lane(
                self.steps,
                backend,
                over,
                self._bounds[lane::every],
                {n: total[lane] for n, total in sums.items()},
                blocks,
            )
            for lane in range(self.lanes)
        ]
        self._totals = [(buffer.array, sums[name]) for name, buffer in self.sums.items()]

    def _blocks(self, over: str | None) -> _Blocks:
        """Where in a thread's memory the block of each local buffer lies while the steps that use it run."""
        shapes = {}
        for name, buffer in self.local.items():
            assert over is not None
            place = buffer.axes.index(over)
            shapes[name] = (*buffer.shape[:place], self.block, *buffer.shape[place + 1 :])
        used = spans([[step] for step in self.steps])
        begins, size = allocate(
            [math.prod(shapes[n]) * b.dtype.itemsize for n, b in self.local.items()],
            [used[id(b)] for b in self.local.values()],
        )
        places = {n: (begin, shapes[n], b.dtype) for begin, (n, b) in zip(begins, self.local.items(), strict=True)}
        return _Blocks(places, size)

    def run(self, team: ThreadTeam) -> None:
        """All blocks of all lanes, then the sums, lane by lane."""
        team.run([partial(lane.run, team) for lane in self._lanes])
        for total, lanes in self._totals:
            np.copyto(total, lanes[0])
            for lane in lanes[1:]:
                total += lane


class _Blocks:
    """Arrays side by side or one after another in a thread's memory: name -> where it begins, shape, type."""

    def __init__(self, places: dict[str, Place], size: int):
        self.places, self.size = places, size

    def arrays(self, team: ThreadTeam) -> dict[str, Array]:
        memory = team.thread_local(self.size)
        return {name: view_at(memory, *place) for name, place in self.places.items()}


class _Lane:
    """The blocks that one thread at a time runs in order, with sums of its own and blocks in the thread's memory."""

    def __init__(
        self,
        steps: list[Step],
        backend: Backend,
        over: str | None,
        bounds: list[tuple[int, int]],
        sums: dict[str, Array],
        blocks: _Blocks,
    ):
        self.sums, self._over, self._blocks = sums, over, blocks
        # the kernel, its arguments, and which of them are cut out of the thread's blocks
        self._calls: list[tuple[Callable[..., Any], dict[str, object], list[Cut]]] = [
            (backend.bind(step.kernel), self._arguments(step, start, stop), self._cuts(step, stop - start))
            for start, stop in bounds
            for step in steps
        ]

    def run(self, team: ThreadTeam) -> None:
        for total in self.sums.values():
            total.fill(0)
        blocks = self._blocks.arrays(team)
        for kernel, arguments, cuts in self._calls:
            kernel(**arguments, **{name: blocks[block][cut].reshape(shape) for name, block, cut, shape in cuts})

    def _cuts(self, step: Step, rows: int) -> list[Cut]:
        found = []
        for name, buffer in step.buffers.items():
            if buffer.base.name in self._blocks.places:
                assert self._over is not None
                place = buffer.axes.index(self._over)
                shape = (*buffer.shape[:place], rows, *buffer.shape[place + 1 :])
                found.append((name, buffer.base.name, (slice(None),) * place + (slice(0, rows),), shape))
        return found

    def _arguments(self, step: Step, start: int, stop: int) -> dict[str, object]:
        arguments = dict(step.scalars)
        for name, buffer in step.buffers.items():
            if name in step.sums:
                arguments[name] = self.sums[buffer.name]
            elif self._over is None or self._over not in buffer.axes:
                arguments[name] = buffer.array
            elif buffer.base.name not in self._blocks.places:
                place = buffer.axes.index(self._over)
                arguments[name] = buffer.array[(slice(None),) * place + (slice(start, stop),)]
        return arguments
