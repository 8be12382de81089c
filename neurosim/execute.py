"""Running a plan: cache blocks, lanes and threads, in this one place.

A *stretch* is a run of consecutive steps that work over the same axis. Its rows are cut into blocks of a size that
depends on the arrays alone; block i belongs to lane i modulo `LANES`; a lane runs its blocks one after another, each
through all the steps of the stretch while it lies in the cache, and sums into arrays of its own. The lanes' sums are
then added in order. Threads take whole lanes, so that any number of threads gives the same bits.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from types import ModuleType

import numpy as np
from threadpoolctl import threadpool_limits

from neurosim.buffer import Buffer
from neurosim.errors import WiringError
from neurosim.plan import Plan, Step

LANES = 8
ALIGNED = 64  # bytes: a block begins where a line of the cache does
# What the widest step of a stretch may touch per block. Larger than a core's cache of 1 MB: kernels cut their work
# themselves, transform the weights once a call, and short calls make threads wait for the interpreter. Measured on conv5 bp,
# 250 pairs, relative to 4 MB: 2 MB 1.19; 6, 8 and 12 MB 0.95 to 1.00.
BLOCK_BYTES = 8 << 20


class Workers:
    """A team of threads that runs tasks, each with a single-threaded BLAS and with memory for the blocks it works on.

    Use it as a context: the BLAS is held to one thread inside, as it was outside.

    Args:
        threads: how many; None: as many as the machine lends.
    """

    def __init__(self, threads: int | None = None):
        self.threads = threads or len(os.sched_getaffinity(0))
        self._pool = self._limits = None
        self._memory = threading.local()

    def __enter__(self) -> Workers:
        self._limits = threadpool_limits(1)
        if self.threads > 1:
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="neurosim")
        return self

    def __exit__(self, *_):
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        self._limits.restore_original_limits()
        self._memory = threading.local()

    def lend(self, size: int) -> np.ndarray:
        """So many bytes of the calling thread's own, undefined, valid until the same thread borrows again."""
        held = getattr(self._memory, "bytes", None)
        if held is None or held.size < size:
            held = self._memory.bytes = np.empty(size, np.uint8)
        return held[:size]

    def run(self, tasks: list[Callable[[], None]]) -> None:
        """Run every task; return when all are done. The first error of a task is raised."""
        if self._pool is None or len(tasks) < 2:
            for task in tasks:
                task()
        else:
            list(self._pool.map(lambda task: task(), tasks))


class Room:
    """Memory that local buffers use one after another, within a program and in all programs that are given the room."""

    def __init__(self):
        self._memory = np.empty(0, np.uint8)

    def place(self, spans: list[tuple[Buffer, int, int]]) -> list[np.ndarray]:
        """An array for each buffer, told with the first and the last stretch that use it; sharing no byte meanwhile.

        The largest comes first, each at the lowest place that is free as long as it is needed.
        """
        placed: list[tuple[int, int, int, int]] = []  # begin, end, first, last
        begins = {}
        for number in sorted(range(len(spans)), key=lambda i: -spans[i][0].nbytes):
            buffer, first, last = spans[number]
            begin, size = 0, -(-buffer.nbytes // ALIGNED) * ALIGNED
            for low, high, since, until in sorted(placed):
                if since <= last and first <= until and low < begin + size and begin < high:
                    begin = high
            placed.append((begin, begin + size, first, last))
            begins[number] = begin
        size = max((end for _, end, _, _ in placed), default=0)
        if size > self._memory.size:
            self._memory = np.empty(size, np.uint8)
        return [self._memory[begins[i] : begins[i] + b.nbytes].view(b.dtype).reshape(b.shape)
                for i, (b, _, _) in enumerate(spans)]  # fmt: skip


class Program:
    """A plan bound to kernels and arrays, ready to run again and again.

    Args:
        plan: what to run.
        kernels: the module (or namespace) with a function per kernel name; where it has a ``machine``, the plan's buffers
            move there and every step takes whole arrays. Otherwise they move to the host's memory.
        hold: keep local buffers whole, so that every stored array can be looked at afterwards.
        room: where local buffers lie that several stretches use, from the first of them to the last; None: one of its
            own.
    """

    def __init__(self, plan: Plan, kernels: ModuleType, hold: bool = False, room: Room | None = None):
        self.plan = plan
        runs = list(_stretches(plan.steps))
        machine = getattr(kernels, "machine", None)
        for buffer in plan.buffers:
            buffer.move(machine)
        if machine is not None:
            self.stretches = [Whole(steps, kernels) for steps in runs]
            return
        uses: dict[int, list[int]] = {}
        for number, steps in enumerate(runs):
            for step in steps:
                for buffer in step.buffers.values():
                    uses.setdefault(id(buffer.base), []).append(number)
        viewed = {id(b.base) for s in plan for b in s.buffers.values() if b.base is not b}
        local = [] if hold else [b for b in plan.buffers if b.local]
        blocks = {id(b) for b in local if uses[id(b)][0] == uses[id(b)][-1] and id(b) not in viewed}
        shared = [(b, uses[id(b)][0], uses[id(b)][-1]) for b in local if id(b) not in blocks]
        with _lying([b for b, _, _ in shared], (room or Room()).place(shared)):
            self.stretches = [Stretch(steps, kernels, blocks) for steps in runs]

    def run(self, workers: Workers) -> None:
        """One pass through the plan."""
        for stretch in self.stretches:
            stretch.run(workers)


@contextmanager
def _lying(buffers: list[Buffer], arrays: list[np.ndarray]) -> Iterator[None]:
    """Buffers have these arrays while their steps are bound; what others then see of them is not what a program does."""
    before = [buffer.lie(array) for buffer, array in zip(buffers, arrays, strict=True)]
    try:
        yield
    finally:
        for buffer, array in zip(buffers, before, strict=True):
            buffer.lie(array)


def _stretches(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Cut the list where the axis changes, or where a step needs what only all blocks together have made."""
    stretch: list[Step] = []
    for step in steps:
        if stretch and (not step.over or _cut(stretch[-1]) != _cut(step) or len(_rows([*stretch, step])) > 1 or
                        _waits(step, stretch)):  # fmt: skip
            yield stretch
            stretch = []
        stretch.append(step)
    if stretch:
        yield stretch


def _waits(step: Step, stretch: list[Step]) -> bool:
    """Whether a step touches a buffer changed in the stretch other than by the rows of its own block."""
    changed = {id(b.base): _rows_of(s, b) for s in stretch for b in s.changed.values()}
    summed = {id(b.base) for s in stretch for b in s.sums.values()}
    return any(
        id(b.base) in summed or changed.get(id(b.base), _rows_of(step, b)) != _rows_of(step, b) or
        (id(b.base) in changed and step.over not in b.axes)
        for b in step.buffers.values()
    )  # fmt: skip


def _rows_of(step: Step, buffer: Buffer) -> int | None:
    """The first row of the base that block 0 of a step sees."""
    return buffer.start if step.over in buffer.axes else None


def _cut(step: Step):
    return (step.over, min(step.extents)) if step.over else None


def _rows(steps: Iterable[Step]) -> set[int]:
    """The rows a block that steps ask for; the others do with any number."""
    return {step.rows for step in steps if step.rows}


def _bytes_per_row(step: Step) -> int:
    return max(1, sum(b.nbytes for b in step.buffers.values() if step.over in b.axes) // min(step.extents))


class Stretch:
    """Consecutive steps that work over one axis, bound to blocks and lanes.

    Attributes:
        steps: in order.
        block: rows of a block.
        lent: buffers that exist only as one block a thread, by name.
        lanes: how many.
    """

    def __init__(self, steps: list[Step], kernels: ModuleType, local: set[int]):
        self.steps = steps
        over = steps[0].over
        extent = min(steps[0].extents) if over else 1
        widest = max((_bytes_per_row(step) for step in steps), default=1) if over else 1
        # At least one block a lane, so that no thread idles; at least one row a block.
        self.block = max(_rows(steps), default=0) or max(1, min(BLOCK_BYTES // widest, -(-extent // LANES)))
        bounds = [(start, min(start + self.block, extent)) for start in range(0, extent, self.block)]
        self._sums = {b.name: b for step in steps for b in step.sums.values()}
        self.lent = {b.name: b for step in steps for b in step.buffers.values() if id(b) in local}
        self.lanes = min(LANES, len(bounds))
        self._lanes = [
            _Lane(steps, kernels, over, self.block, bounds[lane::LANES], self._sums, self.lent) for lane in range(self.lanes)
        ]

    def run(self, workers: Workers) -> None:
        """All blocks of all lanes, then the sums, lane by lane."""
        workers.run([partial(lane.run, workers) for lane in self._lanes])
        for name, buffer in self._sums.items():
            total = buffer.array
            np.copyto(total, self._lanes[0].sums[name])
            for lane in self._lanes[1:]:
                total += lane.sums[name]


class Whole:
    """Consecutive steps on the whole arrays of a machine, which keeps their order; nothing waits for it.

    Attributes:
        steps: in order.

    Raises:
        WiringError: a kernel of a rule's own, which takes NumPy arrays.
    """

    def __init__(self, steps: list[Step], kernels):
        self.steps = steps
        for step in steps:
            if step.function is not None:
                raise WiringError(f"step {step.label!r} brings a kernel of its own", "the kernels of neurosim on a GPU",
                                  "write --device cpu")  # fmt: skip
        self._sums = [b.array for b in {b.name: b for step in steps for b in step.sums.values()}.values()]
        self._calls = [
            (getattr(kernels, step.kernel), {**{n: b.array for n, b in step.buffers.items()}, **step.scalars}) for step in steps
        ]

    def run(self, workers: Workers) -> None:
        """All steps; what is summed starts from 0."""
        for total in self._sums:
            total.fill(0)
        for kernel, arguments in self._calls:
            kernel(**arguments)


class _Lane:
    """The blocks that one thread at a time runs in order, with sums of its own and blocks lent by the thread."""

    def __init__(self, steps, kernels, over, block, bounds, sums, lent):
        self.sums = {name: np.zeros(b.shape, b.dtype) for name, b in sums.items()}
        self._over, self._block, self._lent = over, block, lent
        # kernel, its arguments, and which of them are cut out of lent blocks
        self._calls = [
            (step.function or getattr(kernels, step.kernel), self._arguments(step, start, stop), self._cuts(step, stop - start))
            for start, stop in bounds
            for step in steps
        ]

    def run(self, workers: Workers) -> None:
        for total in self.sums.values():
            total.fill(0)
        blocks = self._borrow(workers)
        for kernel, arguments, cuts in self._calls:
            kernel(**arguments, **{name: blocks[block][cut] for name, block, cut in cuts})

    def _borrow(self, workers: Workers) -> dict[str, np.ndarray]:
        """A block of every lent buffer, side by side in the thread's memory."""
        shapes = {}
        for name, buffer in self._lent.items():
            place = buffer.axes.index(self._over)
            shapes[name] = (*buffer.shape[:place], self._block, *buffer.shape[place + 1 :])
        sizes = [-(-math.prod(shapes[n]) * b.dtype.itemsize // ALIGNED) * ALIGNED for n, b in self._lent.items()]
        memory, blocks = workers.lend(sum(sizes)), {}
        for (name, buffer), size in zip(self._lent.items(), sizes, strict=True):
            held, memory = memory[:size], memory[size:]
            blocks[name] = held[: math.prod(shapes[name]) * buffer.dtype.itemsize].view(buffer.dtype).reshape(shapes[name])
        return blocks

    def _cuts(self, step: Step, rows: int) -> list[tuple[str, str, tuple[slice, ...]]]:
        return [
            (name, buffer.name, (slice(None),) * buffer.axes.index(self._over) + (slice(0, rows),))
            for name, buffer in step.buffers.items()
            if buffer.name in self._lent
        ]

    def _arguments(self, step: Step, start: int, stop: int) -> dict[str, object]:
        arguments = dict(step.scalars)
        for name, buffer in step.buffers.items():
            if name in step.sums:
                arguments[name] = self.sums[buffer.name]
            elif self._over is None or self._over not in buffer.axes:
                arguments[name] = buffer.array
            elif buffer.name not in self._lent:
                place = buffer.axes.index(self._over)
                arguments[name] = buffer.array[(slice(None),) * place + (slice(start, stop),)]
        return arguments
