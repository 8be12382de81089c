"""One step by itself: run again on what it found in some batch, with some of it altered, to see what moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.finite import EXPECTED, HINT, unfit
from neurosim.audit.graph.graph import PER_ROW
from neurosim.audit.interventions.arrays import bits
from neurosim.core.roles import Role
from neurosim.errors import UndecidedError

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench, StepRun
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array

Arrays = dict[str, "Array"]


def found_by(bench: Bench, run: StepRun) -> Arrays:
    """What a run of a step found in its inputs: argument -> values, copies."""
    if run in bench.before:
        return {k: v.copy() for k, v in bench.before[run].items()}
    return {k: v.copy() for k, v in bench.inputs(run.site, run.batch).items()}


class Trial:
    """A step that is run again on what one of its runs found.

    Args:
        bench: recorded.
        run: of the step.
        rng: of the numbers put in place of others.

    Attributes:
        given: argument -> what it found.
        left: argument -> what the step leaves of that.
    """

    def __init__(self, bench: Bench, run: StepRun, rng: np.random.Generator):
        self.site: Site = run.site
        self._bench, self._kernel, self.rng = bench, bench.function(run.site), rng
        self.given = found_by(bench, run)
        self.left = self.run({})

    def run(self, altered: Mapping[str, Array]) -> Arrays:
        """What the step leaves where some arguments are altered.

        Raises:
            UndecidedError: numbers that are not finite, of such that are.
            Exception: whatever a kernel of somebody else's raises.
        """
        step = self.site.step
        arguments = {k: altered[k].copy() if k in altered else v.copy() for k, v in self.given.items()}
        for k, b in {**step.writes, **step.sums}.items():
            arguments[k] = np.zeros(b.shape, b.dtype)
        with np.errstate(all="ignore"):
            self._kernel(**arguments, **step.scalars)
        left = {k: arguments[k] for k in step.changed}
        named = {step.buffers[k].name: v for k, v in left.items()}
        if self._likely(altered) and not self._bench.is_fit(f"{self.site}, run on other numbers", named):
            raise UndecidedError(self._bench.unfit[-1], EXPECTED, HINT)
        return left

    def _likely(self, altered: Mapping[str, Array]) -> bool:
        """Whether numbers are finite and about as large as those that the step found: further out a kernel may overflow."""
        sizes = [(np.abs(v).max(initial=0), np.abs(self.given[k]).max(initial=0)) for k, v in altered.items()]
        return not unfit("", altered) and all(size <= 2 * found for size, found in sizes)

    def other(self, argument: str, where: Array) -> Array:
        """An argument's values, with others of the same kind in some places.

        Args:
            argument: name.
            where: mask that broadcasts to the array.
        """
        values = self.given[argument]
        if values.dtype.kind == "f":
            size = np.abs(values[np.isfinite(values)]).max(initial=0.0) or 1.0
            drawn = self.rng.uniform(-size, size, values.shape).astype(values.dtype)
            if values.size and values.min() >= 0:
                drawn = np.abs(drawn)  # a mask, a size, a trace of squares
        else:
            drawn = np.roll(values.reshape(-1), 1 + int(self.rng.integers(max(values.size - 1, 1)))).reshape(
                values.shape
            )
        altered: Array = np.where(where, drawn, values)
        return altered

    def moved(self, left: Arrays, argument: str) -> Array:
        """Where a result differs from what the step leaves unaltered, bit by bit."""
        one, other = np.ascontiguousarray(left[argument]), np.ascontiguousarray(self.left[argument])
        moved: Array = bits(one) != bits(other)
        return moved


def codes(size: int) -> Iterator[Array]:
    """Sets of places so that of any two places one is in some set and the other is not, both ways round.

    Args:
        size: how many places.

    Yields:
        masks ``(size,)``.
    """
    numbers = np.arange(size)
    for bit in range(max(1, int(size - 1).bit_length())):
        inside = (numbers >> bit) & 1 == 1
        if inside.any():
            yield inside
        yield ~inside


def has_rows(buffer: Buffer) -> bool:
    """Whether a row of a buffer is one view, or one moment."""
    return buffer.axes[0] in PER_ROW and buffer.role is not Role.MEMORY


def common_ratio(after: Array, before: Array) -> float | None:
    """The number by which all numbers of ``before`` are multiplied in ``after``; None: there is no such number."""
    after, before = np.asarray(after, float).ravel(), np.asarray(before, float).ravel()
    size = float(before @ before)
    if not size or not np.isfinite(after).all():
        return 1.0 if np.array_equal(after, before) else None
    ratio = float(after @ before) / size
    apart = np.abs(after - ratio * before).max() > 1e-4 * max(np.abs(after).max(), np.abs(before).max())
    return None if apart else ratio
