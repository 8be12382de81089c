"""Programs: plans bound to kernels and arrays, ready to run again and again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from neurosim.core.backend import Backend, Repeater
from neurosim.core.buffer import Buffer
from neurosim.core.plan import Plan
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.engine.arena import Arena
from neurosim.engine.segments import Segment, cut_into_segments, spans
from neurosim.engine.threads import ThreadTeam
from neurosim.engine.twice import made_once

# Roles of arrays that need no place of their own where a plan makes them anew in every run.
PASSING = (Role.ACTIVITY, Role.GATE, Role.ERROR, Role.CHANGE)


class Program:
    """A plan bound to kernels and arrays.

    Args:
        plan: what to run.
        backend: whose forms of the kernels are run. On a GPU the plan's buffers move there and every step is given whole
            arrays. Otherwise they move to the host's memory.
        hold: buffers to keep whole besides the plan's outputs, so that they can be looked at afterwards; True: all.
        arena: where arrays lie that are made anew in every run, each as long as it is needed; nobody else sees them then.
            None: only local buffers lie so, in an arena of the program's own, and every other array keeps its place.

    Attributes:
        nbytes: bytes of all arrays, the arena's among them; blocks and what kernels use for themselves come on top.

    Raises:
        WiringError: a kernel without a form for the device.
    """

    def __init__(
        self, plan: Plan, backend: Backend, hold: bool | Collection[Buffer] = False, arena: Arena | None = None
    ):
        self.plan = plan
        for step in plan:
            backend.bind(step.kernel)  # refused by name before anything is allocated
        runs = list(cut_into_segments(plan))
        for buffer in plan.buffers:
            buffer.move(backend.device)
        self.segments: Sequence[Segment | DeviceProgram]
        if backend.gpu is not None:
            for buffer in plan.buffers:
                buffer.own_storage()
            self.segments, self.nbytes = [DeviceProgram(runs, backend)], sum(b.nbytes for b in plan.buffers)
            return
        held = {id(b.base) for b in (*plan.outputs, *(hold if isinstance(hold, Collection) else ()))}
        passing = [b for b in plan.buffers if b.local or (arena is not None and _made_anew(b, plan))]
        passing = [b for b in passing if hold is not True and id(b) not in held]
        self.nbytes = self._place(runs, passing, backend, arena or Arena())

    def _place(self, runs: list[list[Step]], passing: list[Buffer], backend: Backend, arena: Arena) -> int:
        """Bind all segments; gives the bytes of all arrays."""
        runs, same = made_once(runs, [b for b in passing if not b.local])
        used, elsewhere = spans(runs), {id(b) for b in passing}
        for (
            place,
            other,
        ) in same.items():  # it is needed as long as what lies in its place, which is read after it was made
            first, last = used[id(other)]
            used[id(other)] = first, max(last, used.get(place, (first, last))[1])
        twins = [(b, same[id(b)]) for b in passing if id(b) in same]
        passing = [b for b in passing if id(b) not in same]
        blocks = {id(b) for b in passing if used[id(b)][0] == used[id(b)][1] and _even(b, self.plan)}
        blocks -= {id(other) for other in same.values()}
        shared = [b for b in passing if id(b) not in blocks]
        stays = [b for b in self.plan.buffers if id(b) not in elsewhere]
        for buffer in stays:
            buffer.own_storage()
        segments = [Segment(steps, blocks) for steps in runs]
        self.segments = segments
        # The lanes' sums are needed while their segment runs, so that they lie where activities are not needed any more.
        wanted = [(b.shape, b.dtype, used[id(b)]) for b in shared]
        for number, segment in enumerate(segments):
            wanted += [((segment.lanes, *b.shape), b.dtype, (number, number)) for b in segment.sums.values()]
        arrays = iter(arena.allocate(wanted))
        bound = [(b, None if id(b) in blocks else next(arrays)) for b in passing]
        lie = {id(b): array for b, array in bound}
        bound += [(b, lie[id(other)]) for b, other in twins]
        with _bound_storage(bound):
            for segment in segments:
                segment.bind(backend, {name: next(arrays) for name in segment.sums})
        return sum(b.nbytes for b in stays) + arena.nbytes

    def run(self, team: ThreadTeam) -> None:
        """One pass through the plan."""
        for segment in self.segments:
            segment.run(team)


def _even(buffer: Buffer, plan: Plan) -> bool:
    """Whether all steps cut a buffer at the same rows, so that a block of rows is the same to all."""
    seen = [(step, b) for step in plan for b in step.buffers.values() if b.base is buffer]
    return all(step.over in b.axes and (b.axes[0], b.shape[0]) == (buffer.axes[0], buffer.shape[0]) for step, b in seen)


def _made_anew(buffer: Buffer, plan: Plan) -> bool:
    """Whether a plan makes what a buffer holds, all at once, before it reads it."""
    first = next(step for step in plan if any(b.base is buffer for b in step.buffers.values()))
    made = (*first.writes.values(), *first.sums.values())
    return buffer.role in PASSING and any(b.base is buffer and b.nbytes == buffer.nbytes for b in made)


@contextmanager
def _bound_storage(bound: list[tuple[Buffer, Any]]) -> Iterator[None]:
    """Buffers have these arrays while their steps are bound, then again what they had: others do not see what a program does."""
    before = [(buffer, buffer.bind_storage(array)) for buffer, array in bound]
    try:
        yield
    finally:
        for buffer, array in before:
            buffer.bind_storage(array)


class DeviceProgram:
    """A plan on the whole arrays of a GPU, which keeps the order of its steps; nothing waits for it.

    Args:
        runs: its steps, in order; what a run of them sums starts from 0.
        backend: of the GPU; see `neurosim.kernels.gpu.Gpu.repeat` for what becomes of the second run and later ones.
    """

    def __init__(self, runs: list[list[Step]], backend: Backend):
        assert backend.gpu is not None
        self._gpu: Repeater = backend.gpu
        self._calls: list[tuple[Callable[..., Any], dict[str, object]]] = []
        for steps in runs:
            sums = {b.name: b.array for step in steps for b in step.sums.values()}
            self._calls += [(self._gpu.clear, {"total": total}) for total in sums.values()]
            for step in steps:
                arrays = {name: buffer.array for name, buffer in step.buffers.items()}
                self._calls.append((backend.bind(step.kernel), {**arrays, **step.scalars}))

    def run(self, team: ThreadTeam) -> None:
        """All steps."""
        self._gpu.repeat(self, self._all)

    def _all(self) -> None:
        for kernel, arguments in self._calls:
            kernel(**arguments)
