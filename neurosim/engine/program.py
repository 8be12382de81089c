"""Running a plan: cache blocks, lanes and threads, in this one place.

A *segment* is a run of consecutive steps that work over the same axis. Its rows are cut into blocks of a size that
depends on the arrays alone; block i belongs to lane i modulo `LANES`; a lane runs its blocks one after another, each
through all the steps of the segment while it lies in the cache, and sums into arrays of its own. The lanes' sums are
then added in order. Threads take whole lanes, so that any number of threads gives the same bits.
"""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType

import numpy as np
from threadpoolctl import threadpool_limits

from neurosim.core.buffer import Buffer
from neurosim.core.plan import Plan, Step
from neurosim.engine.arena import Arena, allocate, view_at
from neurosim.errors import WiringError

LANES = 8
PASSING = ("activity", "gate", "error", "change")  # roles of arrays that do not outlive a batch
# What the widest step of a segment may touch per block. Larger than a core's cache of 1 MB: kernels cut their work
# themselves, transform the weights once a call, and short calls make threads wait for the interpreter. Measured on conv5 bp,
# 250 pairs, relative to 4 MB: 2 MB 1.19; 6, 8 and 12 MB 0.95 to 1.00.
BLOCK_BYTES = 8 << 20
# Views, or moments, of a block: fewer lanes (2 at least) rather than fewer rows. A thread that comes back from a call of 10 us
# and finds the interpreter taken is woken too late to get it before the other's next call. Two threads, 50 pairs, relative
# to blocks of 7: 13 rows 0.83 (dtp) and 0.88 (bp), 25 rows 0.71 and 0.93. So up to twice as many rows may touch more than
# BLOCK_BYTES (bp at 50 pairs: 2 blocks of 25 instead of 20, 20 and 10, 0.92), within four times that much.
LEAST_ROWS = 24


class ThreadTeam:
    """A team of threads that runs tasks, each with a single-threaded BLAS and with memory for the blocks it works on.

    The calling thread is one of them: a helper is woken in some 10 microseconds, a pool of futures takes 84 to 177 for the
    tasks of one segment. Use it as a context: the BLAS is held to one thread inside, and let go again.

    Args:
        threads: how many; None: as many as the machine lends.
    """

    def __init__(self, threads: int | None = None):
        self.threads = threads or len(os.sched_getaffinity(0))
        self._helpers: list[threading.Thread] = []
        self._memory = threading.local()

    def __enter__(self) -> ThreadTeam:
        self._limits = threadpool_limits(1)
        self._asked, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._helpers = [threading.Thread(target=self._help, name=f"neurosim {number}", daemon=True)
                         for number in range(1, self.threads)]  # fmt: skip
        for helper in self._helpers:
            helper.start()
        return self

    def __exit__(self, *_):
        self._tasks = None
        for _ in self._helpers:
            self._asked.release()
        for helper in self._helpers:
            helper.join()
        self._helpers = []
        self._limits.restore_original_limits()
        self._memory = threading.local()

    def thread_local(self, size: int) -> np.ndarray:
        """So many bytes of the calling thread's own, undefined, valid until the same thread borrows again."""
        held = getattr(self._memory, "bytes", None)
        if held is None or held.size < size:
            held = self._memory.bytes = np.empty(size, np.uint8)
        return held[:size]

    def run(self, tasks: list[Callable[[], None]]) -> None:
        """Run every task; return when all are done. The first error of a task is raised, and tasks not yet begun are left out."""
        helpers = min(len(self._helpers), len(tasks) - 1)
        if helpers < 1:
            for task in tasks:
                task()
            return
        self._tasks, self._errors = deque(tasks), []
        self._asked.release(helpers)
        try:
            _drain(self._tasks)
        finally:
            self._tasks.clear()
            for _ in range(helpers):
                self._done.acquire()
        if self._errors:
            raise self._errors[0]

    def _help(self) -> None:
        """What a helper does until the team is dismissed."""
        while self._asked.acquire() and self._tasks is not None:
            try:
                _drain(self._tasks)
            except BaseException as error:  # the calling thread raises it
                self._errors.append(error)
                self._tasks.clear()
            self._done.release()


def _drain(tasks: deque[Callable[[], None]]) -> None:
    """Run tasks one after another until none is left; several threads may take from one queue."""
    while True:
        try:
            task = tasks.popleft()
        except IndexError:
            return
        task()


class Program:
    """A plan bound to kernels and arrays, ready to run again and again.

    Args:
        plan: what to run.
        kernels: the module (or namespace) with a function per kernel name; where it has a ``machine``, the plan's buffers
            move there and every step takes whole arrays. Otherwise they move to the host's memory.
        hold: buffers to keep whole, so that they can be looked at afterwards; True: all.
        arena: where arrays lie that are made anew in every run, each as long as it is needed; nobody else sees them then.
            None: only local buffers lie so, in an arena of the program's own, and every other array keeps its place.

    Attributes:
        nbytes: bytes of all arrays, the arena's among them; blocks and what kernels borrow come on top.
    """

    def __init__(self, plan: Plan, kernels: ModuleType, hold: bool | Collection[Buffer] = False, arena: Arena | None = None):
        self.plan = plan
        runs = list(_segments(plan.steps))
        machine = getattr(kernels, "machine", None)
        for buffer in plan.buffers:
            buffer.move(machine)
        if machine is not None:
            for buffer in plan.buffers:
                buffer.own_storage()
            self.segments, self.nbytes = [DeviceProgram(runs, kernels)], sum(b.nbytes for b in plan.buffers)
            return
        spans = _spans(runs)
        passing = [b for b in plan.buffers if b.local or (arena is not None and _made_anew(b, plan))]
        passing = [b for b in passing if hold is not True and not any(b is held for held in hold or ())]
        blocks = {id(b) for b in passing if spans[id(b)][0] == spans[id(b)][1] and _even(b, plan)}
        shared = [b for b in passing if id(b) not in blocks]
        stays = [b for b in plan.buffers if not any(b is other for other in passing)]
        for buffer in stays:
            buffer.own_storage()
        self.segments = [Segment(steps, blocks) for steps in runs]
        # The lanes' sums are needed while their segment runs, so that they lie where activities are not needed any more.
        wanted = [(b.shape, b.dtype, spans[id(b)]) for b in shared]
        for number, segment in enumerate(self.segments):
            wanted += [((segment.lanes, *b.shape), b.dtype, (number, number)) for b in segment.sums.values()]
        arena = arena or Arena()
        arrays = iter(arena.allocate(wanted))
        with _bound_storage(passing, [None if id(b) in blocks else next(arrays) for b in passing]):
            for segment in self.segments:
                segment.bind(kernels, {name: next(arrays) for name in segment.sums})
        self.nbytes = sum(b.nbytes for b in stays) + arena.nbytes

    def run(self, team: ThreadTeam) -> None:
        """One pass through the plan."""
        for segment in self.segments:
            segment.run(team)


def _spans(runs: list[list[Step]]) -> dict[int, tuple[int, int]]:
    """The first and the last run of steps that use each buffer, by its id."""
    spans: dict[int, tuple[int, int]] = {}
    for number, steps in enumerate(runs):
        for buffer in (b.base for step in steps for b in step.buffers.values()):
            spans[id(buffer)] = (spans.get(id(buffer), (number, number))[0], number)
    return spans


def _even(buffer: Buffer, plan: Plan) -> bool:
    """Whether all steps cut a buffer at the same rows, so that a block of rows is the same to all."""
    seen = [(step, b) for step in plan for b in step.buffers.values() if b.base is buffer]
    return all(step.over in b.axes and (b.axes[0], b.shape[0]) == (buffer.axes[0], buffer.shape[0]) for step, b in seen)


def _made_anew(buffer: Buffer, plan: Plan) -> bool:
    """Whether a plan makes what a buffer holds before it reads it, and nothing of it lasts."""
    first = next(step for step in plan if any(b.base is buffer for b in step.buffers.values()))
    made = (*first.writes.values(), *first.sums.values())
    return buffer.role in PASSING and any(b.base is buffer and b.nbytes == buffer.nbytes for b in made)


@contextmanager
def _bound_storage(buffers: list[Buffer], arrays: list[np.ndarray | None]) -> Iterator[None]:
    """Buffers have these arrays while their steps are bound, then again what they had: others do not see what a program does."""
    before = [buffer.bind_storage(array) for buffer, array in zip(buffers, arrays, strict=True)]
    try:
        yield
    finally:
        for buffer, array in zip(buffers, before, strict=True):
            buffer.bind_storage(array)


def _segments(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Cut the list where the axis changes, or where a step needs what only all blocks together have made."""
    segment: list[Step] = []
    for step in steps:
        if segment and (not step.over or _cut(segment[-1]) != _cut(step) or not _agree([*segment, step]) or
                        _waits(step, segment)):  # fmt: skip
            yield segment
            segment = []
        segment.append(step)
    if segment:
        yield segment


def _waits(step: Step, segment: list[Step]) -> bool:
    """Whether a step touches a buffer changed in the segment other than by the rows of its own block."""
    changed = {id(b.base): _rows_of(s, b) for s in segment for b in s.changed.values()}
    summed = {id(b.base) for s in segment for b in s.sums.values()}
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


def _agree(steps: list[Step]) -> bool:
    """Whether steps over one axis do with blocks of one size: of the rows that some of them ask for, if the others have
    enough blocks for all lanes then, and not too large ones."""
    asked = {step.rows for step in steps}
    if len(asked) == 1:
        return True
    rows = max(rows or 0 for rows in asked)
    many = -(-min(steps[0].extents) // rows) >= LANES
    return asked == {None, rows} and many and rows * max(map(_bytes_per_row, steps)) <= 4 * BLOCK_BYTES


def _bytes_per_row(step: Step) -> int:
    return max(1, sum(b.nbytes for b in step.buffers.values() if step.over in b.axes) // min(step.extents))


class Segment:
    """Consecutive steps that work over one axis, cut into blocks and lanes; `bind` them to kernels and arrays, then run.

    Attributes:
        steps: in order.
        block: rows of a block.
        lent: buffers that exist only as one block a thread, by name.
        lanes: how many.
        sums: buffers that the lanes sum into arrays of their own first, by name.
    """

    def __init__(self, steps: list[Step], local: set[int]):
        self.steps = steps
        over = steps[0].over
        extent = min(steps[0].extents) if over else 1
        widest = max((_bytes_per_row(step) for step in steps), default=1) if over else 1
        # At least one block a lane, so that no thread idles.
        wanted = max((step.rows or 0 for step in steps), default=0)
        lanes = LANES
        while over in ("sample", "moment") and lanes > 2 and extent < lanes * LEAST_ROWS:
            lanes //= 2
        most = max(BLOCK_BYTES // widest, min(2 * LEAST_ROWS, 4 * BLOCK_BYTES // widest))
        self.block = wanted or max(1, min(most, -(-extent // lanes)))
        self._bounds = [(start, min(start + self.block, extent)) for start in range(0, extent, self.block)]
        self.sums = {b.name: b for step in steps for b in step.sums.values()}
        self.local = {b.base.name: b.base for step in steps for b in step.buffers.values() if id(b.base) in local}
        self.lanes = min(LANES, len(self._bounds))

    def bind(self, kernels: ModuleType, sums: dict[str, np.ndarray]) -> None:
        """Take the arrays that buffers have now.

        Args:
            kernels: with a function per kernel name.
            sums: name of each of `sums` -> ``(lane, ...)``, what each lane sums.
        """
        over = self.steps[0].over
        blocks = self._place(over)
        self._lanes = [
            _Lane(self.steps, kernels, over, self._bounds[lane::LANES], {n: total[lane] for n, total in sums.items()}, blocks)
            for lane in range(self.lanes)
        ]
        self._totals = [(buffer.array, sums[name]) for name, buffer in self.sums.items()]

    def _place(self, over: str | None) -> _Blocks:
        """Where in a thread's memory the block of each lent buffer lies while the steps that use it run."""
        shapes = {}
        for name, buffer in self.local.items():
            place = buffer.axes.index(over)
            shapes[name] = (*buffer.shape[:place], self.block, *buffer.shape[place + 1 :])
        spans = _spans([[step] for step in self.steps])
        begins, size = allocate([math.prod(shapes[n]) * b.dtype.itemsize for n, b in self.local.items()],
                               [spans[id(b)] for b in self.local.values()])  # fmt: skip
        places = {n: (begin, shapes[n], b.dtype) for begin, (n, b) in zip(begins, self.local.items(), strict=True)}
        return _Blocks(places, size)

    def run(self, team: ThreadTeam) -> None:
        """All blocks of all lanes, then the sums, lane by lane."""
        team.run([partial(lane.run, team) for lane in self._lanes])
        for total, lanes in self._totals:
            np.copyto(total, lanes[0])
            for lane in lanes[1:]:
                total += lane


class DeviceProgram:
    """A plan on the whole arrays of a machine, which keeps the order of its steps; nothing waits for it.

    Args:
        runs: its steps, in order; what a run of them sums starts from 0.
        kernels: of the machine; see `neurosim.kernels.gpu.Gpu.repeat` for what becomes of the second run and later ones.

    Raises:
        WiringError: a kernel of a rule's own, which takes NumPy arrays.
    """

    def __init__(self, runs: list[list[Step]], kernels):
        self._kernels, self._calls = kernels, []
        for steps in runs:
            sums = {b.name: b.array for step in steps for b in step.sums.values()}
            self._calls += [(kernels.clear, {"total": total}) for total in sums.values()]
            for step in steps:
                if step.function is not None:
                    raise WiringError(f"step {step.label!r} brings a kernel of its own", "the kernels of neurosim on a GPU",
                                      "write --device cpu")  # fmt: skip
                arrays = {name: buffer.array for name, buffer in step.buffers.items()}
                self._calls.append((getattr(kernels, step.kernel), {**arrays, **step.scalars}))

    def run(self, team: ThreadTeam) -> None:
        """All steps."""
        self._kernels.repeat(self, self._all)

    def _all(self) -> None:
        for kernel, arguments in self._calls:
            kernel(**arguments)


class _Blocks:
    """Arrays side by side or one after another in memory that a thread lends: name -> where it begins, shape, type."""

    def __init__(self, places: dict[str, tuple[int, tuple[int, ...], np.dtype]], size: int):
        self.places, self.size = places, size

    def borrow(self, team: ThreadTeam) -> dict[str, np.ndarray]:
        memory = team.thread_local(self.size)
        return {name: view_at(memory, *place) for name, place in self.places.items()}


class _Lane:
    """The blocks that one thread at a time runs in order, with sums of its own and blocks lent by the thread."""

    def __init__(self, steps, kernels, over, bounds, sums, blocks):
        self.sums, self._over, self._blocks = sums, over, blocks
        # kernel, its arguments, and which of them are cut out of lent blocks
        self._calls = [
            (step.function or getattr(kernels, step.kernel), self._arguments(step, start, stop), self._cuts(step, stop - start))
            for start, stop in bounds
            for step in steps
        ]

    def run(self, team: ThreadTeam) -> None:
        for total in self.sums.values():
            total.fill(0)
        blocks = self._blocks.borrow(team)
        for kernel, arguments, cuts in self._calls:
            kernel(**arguments, **{name: blocks[block][cut].reshape(shape) for name, block, cut, shape in cuts})

    def _cuts(self, step: Step, rows: int) -> list[tuple[str, str, tuple[slice, ...], tuple[int, ...]]]:
        found = []
        for name, buffer in step.buffers.items():
            if buffer.base.name in self._blocks.places:
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
