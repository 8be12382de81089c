"""Plans: steps in order, checked before they run.

A `Plan` is a frozen list of steps. People read it (``neurosim explain`` prints it), the audit follows every change of a
weight through it, and `neurosim.engine` runs it as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.errors import WiringError


class Plan:
    """A frozen list of steps in which everything is made before it is read.

    Every row that a step reads was written by an earlier step, or lasts from batch to batch (weights, traces, memory), or is
    given from outside. Every step has a result that a later step reads, that lasts, or that is among the plan's outputs; a
    result that nothing uses is refused unless the kernel declares it optional.

    Args:
        name: ``layer 3``, ``all layers``.
        steps: in the order in which they run.
        outputs: buffers that are looked at after a run.
        inputs: buffers that hold something before it begins: what another plan, or a test, puts there.

    Raises:
        WiringError: two buffers of one name, a buffer that is read and changed through two arguments of a step, something
            read that nothing makes, or something made that nothing uses.
    """

    def __init__(self, name: str, steps: Iterable[Step], outputs: Iterable[Buffer] = (), inputs: Iterable[Buffer] = ()):
        self.name, self.steps = name, tuple(steps)
        self.outputs, self.inputs = tuple(outputs), tuple(inputs)
        if not self.steps:
            raise WiringError(f"plan {name!r} has no steps", "at least one", "leave the phase out, or say what it does")
        self._check_names()
        _check_reads(self)
        _check_results(self)

    @classmethod
    def alone(cls, name: str, steps: Iterable[Step]) -> Plan:
        """Some steps by themselves: what they read is given, and everything that they change is looked at."""
        steps = tuple(steps)
        inputs = [b for step in steps for b in (*step.reads.values(), *step.updates.values())]
        return cls(name, steps, [b for step in steps for b in step.changed.values()], inputs)

    @classmethod
    def needed(cls, name: str, steps: Iterable[Step], outputs: Iterable[Buffer]) -> Plan:
        """Of some steps those that outputs, or arrays that last, are made of."""
        outputs, kept = tuple(outputs), []
        live = _Rows()
        for output in outputs:
            live.add(output)
        for step in reversed(list(steps)):
            if any(buffer.lasts or live.touch(buffer) for buffer in step.changed.values()):
                kept.append(step)
                live.before(step)
        return cls(name, reversed(kept), outputs)

    def _check_names(self) -> None:
        owners: dict[str, Buffer] = {}
        for step in self.steps:
            for buffer in step.buffers.values():
                if owners.setdefault(buffer.base.name, buffer.base) is not buffer.base:
                    raise WiringError(
                        f"two buffers are named {buffer.base.name}",
                        "one buffer a name",
                        "give one of them another name",
                    )
            changed = {id(b.base) for b in step.changed.values()}
            both = [b.name for b in step.reads.values() if id(b.base) in changed]
            if both:
                raise WiringError(
                    f"step {step.label!r} reads and changes {both[0]}",
                    "reads apart from changes",
                    "declare it among the updates of the kernel",
                )

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        lines = [f"{number:3}  {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([f"plan {self.name!r}: {len(self)} steps", *lines])

    @property
    def buffers(self) -> list[Buffer]:
        """Every buffer that owns memory, in order of first use."""
        return list({b.base.name: b.base for step in self.steps for b in step.buffers.values()}.values())

    @property
    def flops(self) -> int:
        """Additions and multiplications of products in one run."""
        return sum(step.flops for step in self.steps)

    @property
    def nbytes(self) -> int:
        """Bytes moved in one run when every step passes its buffers once through memory."""
        return sum(step.nbytes for step in self.steps)


class _Rows:
    """Some rows of each base, as sorted ranges that do not touch."""

    def __init__(self) -> None:
        self._ranges: dict[str, list[tuple[int, int]]] = {}

    def add(self, buffer: Buffer) -> None:
        """The rows of a buffer belong to them from now on."""
        merged: list[tuple[int, int]] = []
        for start, stop in sorted([*self._of(buffer), (buffer.rows.start, buffer.rows.stop)]):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
            else:
                merged.append((start, stop))
        self._ranges[buffer.base.name] = merged

    def remove(self, buffer: Buffer) -> None:
        """The rows of a buffer no longer belong to them."""
        start, stop = buffer.rows.start, buffer.rows.stop
        parts = [part for low, high in self._of(buffer) for part in ((low, min(high, start)), (max(low, stop), high))]
        self._ranges[buffer.base.name] = [(low, high) for low, high in parts if low < high]

    def missing(self, buffer: Buffer) -> tuple[int, int] | None:
        """The first rows of a buffer that do not belong to them; None: all do."""
        start, stop = buffer.rows.start, buffer.rows.stop
        for low, high in self._of(buffer):
            if low > start:
                break
            start = max(start, high)
        else:
            low = stop
        return (start, min(stop, low)) if start < stop else None

    def touch(self, buffer: Buffer) -> bool:
        """Whether any row of a buffer belongs to them."""
        return any(low < buffer.rows.stop and buffer.rows.start < high for low, high in self._of(buffer))

    def before(self, step: Step) -> None:
        """What is needed before a step, where they are needed after it."""
        for buffer in (*step.writes.values(), *step.sums.values()):
            self.remove(buffer)
        for buffer in (*step.reads.values(), *step.updates.values()):
            self.add(buffer)

    def _of(self, buffer: Buffer) -> list[tuple[int, int]]:
        return self._ranges.get(buffer.base.name, [])


def _check_reads(plan: Plan) -> None:
    """Every row is made before it is read.

    Raises:
        WiringError: one that is not; names the step and the array.
    """
    made = _Rows()
    for buffer in plan.inputs:
        made.add(buffer)
    for number, step in enumerate(plan, 1):
        for buffer in (*step.reads.values(), *step.updates.values()):
            rows = None if buffer.lasts or buffer.given else made.missing(buffer)
            if rows is not None:
                raise WiringError(
                    f"step {number} of plan {plan.name!r} ({step.label}) reads {buffer.name}, of which nothing has made "
                    f"rows {rows[0]} to {rows[1]}",
                    "an earlier step that makes them, or an array that lasts or is given",
                    f"add the step that makes {buffer.base.name}",
                )
        for buffer in step.changed.values():
            made.add(buffer)


def _check_results(plan: Plan) -> None:
    """Every step has a result that is used; other results are declared optional.

    Raises:
        WiringError: a step without one, or a result that nothing uses; names the step and the array.
    """
    needed = _Rows()  # what is read behind the step that is looked at, before it is made anew
    for output in plan.outputs:
        needed.add(output)
    for number, step in reversed(list(enumerate(plan, 1))):
        lost = [name for name, buffer in step.changed.items() if not buffer.lasts and not needed.touch(buffer)]
        unused = [name for name in lost if not step.kernel.arguments[name].optional]
        if unused or len(lost) == len(step.changed):
            what = step.changed[(unused or lost)[0]].name if lost else "nothing"
            raise WiringError(
                f"step {number} of plan {plan.name!r} ({step.label}) makes {what}, which nothing uses",
                "a later step that reads it, an array that lasts, or an output of the plan",
                "leave the step out, or name the array among the plan's outputs",
            )
        needed.before(step)
