"""The ledger: what is done at the error units, in plasticity, in feedback and in the read-out, counted by category.

A step's kernel is run on `neurosim.audit.operations.recording.Recorded` arrays, several times on different numbers so that
its branches are taken. Only what reaches the step's results is judged: a hinge may sum up the loss that it reports.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.audit.graph.kinds import Function, callable_of, kernel_name
from neurosim.audit.operations import categories as C
from neurosim.audit.operations.arguments import DRAWS, ROWS, recorded_argument
from neurosim.audit.operations.judgement import judged, place_of, product_category
from neurosim.audit.operations.operation import Node, Operation
from neurosim.audit.operations.tape import Tape
from neurosim.audit.operations.world import World
from neurosim.core.backend import Backend
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.operations.recording import Recorded
    from neurosim.core.step import Step


@dataclass
class Ledger:
    """What one step does.

    Args:
        label: of the step.
        kernel: its name.
        place: ``error units``, ``gate``, ``feedback``, ``hebbian``, ``plasticity``, ``memory``; ``response`` and ``other``
            are counted and not judged, as the conditions ask nothing of them; so is the ``read-out``.
        counts: category -> numbers made by it, in one run on a few rows, on the way to the step's results.
        reported: the same for what only reaches the reported loss.
        forbidden: what breaks the place's condition.
        assumed: what is let pass with a remark: a division by a count, adam's division and root, a slope times an error, the
            response of a unit that carries errors.
        undecided: numbers that left the recording, unknown functions, a kernel that failed.
    """

    label: str
    kernel: str
    place: str
    counts: dict[str, int] = field(default_factory=dict)
    reported: dict[str, int] = field(default_factory=dict)
    forbidden: list[Operation] = field(default_factory=list)
    assumed: list[Operation] = field(default_factory=list)
    undecided: list[Operation] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """``violated``, ``undecided`` or ``simple``."""
        return "violated" if self.forbidden else "undecided" if self.undecided else "simple"

    def judge(self, nodes: list[Node], failed: Operation | None = None) -> None:
        """File every operation where it belongs, and a kernel's failure."""
        for node in nodes:
            if node.operation is not None:
                self.file(node.operation, node.sums, node.of_sum)
        if failed is not None:
            _add_once(self.undecided, failed)

    def file(self, operation: Operation, sums: bool, of_sum: bool = False) -> None:
        """Put one operation where it belongs; ``sums``: it adds numbers of one array; ``of_sum``: it works on such a sum."""
        where, operation = judged(self.place, operation, sums, of_sum)
        if where != "simple":
            _add_once(getattr(self, where), operation)


def ledger(step: Step, function: Function | None = None, place: str | None = None) -> Ledger:
    """Run a step's kernel on recording arrays and judge what it did.

    Args:
        step: of a plan; its buffers are read, cut to a few rows, and never changed.
        function: the kernel that is run; None: its form for the CPU.
        place: where it is judged; None: as the roles of its buffers say.

    Raises:
        WiringError: no such kernel.
    """
    function = function or callable_of(step, Backend("cpu"))
    found = Ledger(step.label, kernel_name(step), place or place_of(step))
    runs = []
    for draw in range(DRAWS + 1):
        tape, given, failed = _recorded_run(step, function, found.place, draw)
        nodes = _reached([*_results(step, given), *tape.control])
        runs.append((tape, nodes))
        found.judge(nodes, failed)
        if draw == 0:
            found.counts = _counted(nodes)
            ends = [given[name].memory.node for name in step.changed]
            everything = _counted(_reached([*ends, *tape.control]))
            found.reported = {
                k: n - found.counts.get(k, 0) for k, n in everything.items() if n > found.counts.get(k, 0)
            }
    for operation in _varying_factors(runs):
        found.file(operation, False)
    return found


def _recorded_run(
    step: Step, function: Function, place: str, draw: int
) -> tuple[Tape, dict[str, Recorded], Operation | None]:
    """One run of a kernel; gives the tape, the arguments and how it failed, if it did."""
    tape = Tape(product_category(place, {name: buffer.role for name, buffer in step.buffers.items()}))
    given = {name: recorded_argument(step, name, draw, tape) for name in step.buffers}
    try:
        with np.errstate(all="ignore"):
            World(tape).copy(function)(**step.scalars, **given)
    except Exception as problem:  # a kernel may fail on recording arrays in any way; then nothing is decided
        frame = problem.__traceback__
        assert frame is not None
        while frame.tb_next is not None:
            frame = frame.tb_next
        file, line = frame.tb_frame.f_code.co_filename, frame.tb_lineno
        return tape, given, Operation(C.FAILURE, file, line, f"{type(problem).__name__}: {problem}")
    return tape, given, None


def _results(step: Step, given: dict[str, Recorded]) -> list[Node | None]:
    """What made the step's results; the reported loss is one only where there is no other."""
    names = [name for name, buffer in step.changed.items() if buffer.role is not Role.VALUE] or list(step.changed)
    return [given[name].memory.node for name in names]


def _reached(ends: list[Node | None]) -> list[Node]:
    """Every operation that the ends depend on, once."""
    reached: dict[int, Node] = {}
    waiting = [n for n in ends if n is not None]
    while waiting:
        node = waiting.pop()
        if id(node) not in reached:
            reached[id(node)] = node
            waiting.extend(node.parents)
    return [n for n in reached.values() if n.operation is not None]


def _counted(nodes: list[Node]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for node in nodes:
        if node.operation is not None:
            counts[node.operation.kind] += node.operation.count
    return dict(sorted(counts.items()))


def _varying_factors(runs: list[tuple[Tape, list[Node]]]) -> list[Operation]:
    """Factors that should be constants and take other values in other runs: Python counted them by branches on data."""
    found: list[Operation] = []
    if not any(tape.control for tape, _ in runs):
        return found  # no branch, no count
    lines = {(n.operation.file, n.operation.line) for _, nodes in runs for n in nodes if n.operation}
    for key in {key for tape, _ in runs for key in tape.constants}:
        values = [tape.constants[key] for tape, _ in runs if key in tape.constants]
        if len(set[Any]().union(*values)) > max(map(len, values)) and key[:2] in lines:
            found.append(Operation(C.TIMES_COUNT, *key, 1, "a factor that branches decide"))
    return found


def _add_once(where: list[Operation], operation: Operation) -> None:
    if all((o.kind, o.file, o.line) != (operation.kind, operation.file, operation.line) for o in where):
        where.append(operation)


def readout_ledger() -> Ledger:
    """What the linear read-out does, where labels are used for the first time: counted, not judged."""
    from neurosim.readout import softmax  # only here: the audit of a plan needs no read-out

    rng = np.random.default_rng(0)
    tape = Tape(product_category("read-out", {"features": Role.ACTIVITY, "weights": Role.FORWARD_WEIGHT}))
    features, labels = rng.normal(size=(ROWS, 5)), np.arange(ROWS) % 3
    world = World(tape)
    cost: Any = softmax.Cost.__new__(softmax.Cost)
    cost.table, cost.labels, cost.classes = _OneBlock(tape, features), labels, 3
    weights = tape.new(rng.normal(size=(6, 3)), {"weights"})
    value, slope = world.copy(softmax.Cost.__call__)(cost, weights, 0.1)
    nodes = _reached([value.memory.node, slope.memory.node, *tape.control])
    found = Ledger("the linear read-out learns", "softmax", "read-out", _counted(nodes))
    found.judge(nodes)
    return found


class _OneBlock:
    """A table of features of one block, recorded."""

    def __init__(self, tape: Tape, features: Any):
        self.tape, self.features = tape, features

    def sweep(self, visit: Function, rows: Any = None) -> list[Any]:
        """What is visited in the one block."""
        return list(visit(slice(0, ROWS), self.tape.new(self.features, {"features"})))
