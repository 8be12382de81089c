"""Steps and plans: what is computed, told before it is computed.

A `Step` names one kernel and every array that the kernel may read, write, update or sum into. A `Plan` is a frozen
list of steps. The same list is the phase (``neurosim explain``), the proof (the audit walks it) and the program
(`neurosim.engine.program` runs it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from neurosim.core.buffer import Buffer
from neurosim.errors import ShapeError, WiringError


@dataclass(frozen=True, eq=False)
class Step:
    """One kernel and every array that it may touch.

    Args:
        kernel: its name in the kernel protocol (`neurosim.kernels.reference` is the specification).
        label: what happens, in the field's words: ``W3: x2 -> u3``.
        equation: the same as a formula, with the paper's symbols.
        reads: argument name -> buffer, never changed.
        writes: argument name -> buffer, wholly overwritten, never read before.
        updates: argument name -> buffer, read and changed in place.
        sums: argument name -> buffer that receives the sum over ``over`` of what each row contributes.
        scalars: argument name -> a plain number, word or truth value.
        over: the axis along which rows do not depend on one another, so that the executor may cut it into blocks;
            None: the kernel wants whole arrays.
        rows: how many rows a block should hold; None: as many as fit the cache. Products with a large weight array
            want more, or they read the weights too often.
        flops: arithmetic operations of one run on whole arrays (additions and multiplications of products).
        function: the kernel itself, for a rule that brings one of its own; None: the protocol's kernel of that name.
    """

    kernel: str
    label: str
    equation: str
    reads: Mapping[str, Buffer]
    writes: Mapping[str, Buffer] = field(default_factory=dict)
    updates: Mapping[str, Buffer] = field(default_factory=dict)
    sums: Mapping[str, Buffer] = field(default_factory=dict)
    scalars: Mapping[str, object] = field(default_factory=dict)
    over: str | None = None
    rows: int | None = None
    flops: int = 0
    function: Callable | None = None

    def __post_init__(self):
        names = [*self.reads, *self.writes, *self.updates, *self.sums, *self.scalars]
        if len(set(names)) != len(names):
            raise WiringError(f"step {self.label!r} declares an argument twice", "one role an argument", "mend the part")
        if self.over and len(self.extents) != 1:
            raise ShapeError(
                f"step {self.label!r} works over {self.over} with sizes {sorted(self.extents)}",
                "one size of that axis in all its buffers",
                "check which rows each buffer holds",
            )

    @property
    def buffers(self) -> dict[str, Buffer]:
        """Argument name -> buffer, all four kinds together."""
        return {**self.reads, **self.writes, **self.updates, **self.sums}

    @property
    def changed(self) -> dict[str, Buffer]:
        """Argument name -> buffer that the kernel may change."""
        return {**self.writes, **self.updates, **self.sums}

    @property
    def extents(self) -> set[int]:
        """The sizes of the axis ``over`` among the step's buffers."""
        return {b.shape[b.axes.index(self.over)] for b in self.buffers.values() if self.over in b.axes}

    @property
    def nbytes(self) -> int:
        """Bytes read and written when every buffer passes once through memory."""
        return sum(b.nbytes for b in self.buffers.values()) + sum(b.nbytes for b in self.updates.values())


class Plan:
    """A frozen list of steps.

    Args:
        name: ``layer 3``, ``all layers``.
        steps: in the order in which they run.

    Raises:
        WiringError: two buffers of one name, or a buffer that is read and changed through two arguments of a step.
    """

    def __init__(self, name: str, steps: Iterable[Step]):
        self.name, self.steps = name, tuple(steps)
        owners: dict[str, Buffer] = {}
        for step in self.steps:
            for buffer in step.buffers.values():
                if owners.setdefault(buffer.base.name, buffer.base) is not buffer.base:
                    raise WiringError(f"two buffers are named {buffer.base.name}", "one buffer a name",
                                      "give one of them another name")  # fmt: skip
            changed = {id(b.base) for b in step.changed.values()}
            both = [b.name for b in step.reads.values() if id(b.base) in changed]
            if both:
                raise WiringError(f"step {step.label!r} reads and changes {both[0]}", "reads apart from changes",
                                  "declare it among the updates")  # fmt: skip

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def buffers(self) -> list[Buffer]:
        """Every buffer that owns memory, in order of first use."""
        return list({b.base.name: b.base for step in self.steps for b in step.buffers.values()}.values())

    @property
    def flops(self) -> int:
        """Arithmetic operations of one run."""
        return sum(step.flops for step in self.steps)

    @property
    def nbytes(self) -> int:
        """Bytes moved in one run when every step passes its buffers once through memory."""
        return sum(step.nbytes for step in self.steps)
