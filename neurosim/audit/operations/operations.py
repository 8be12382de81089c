"""The ledger: what is done at the error units, in plasticity, in feedback and in the read-out, counted by kind.

Condition (ii) asks for simple arithmetic where the error is computed: additions, subtractions, comparisons, signs and
constant weights; no normalisation, inner product, division or product of two activities (Tang, Yang, Amit 2022). A step's
kernel is run on `neurosim.audit.operations.recording.Recorded` arrays, several times on different numbers so that its branches are met.
Only what reaches the step's results is judged: a hinge may sum up the loss that it reports.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from neurosim.audit.operations import kinds as K
from neurosim.audit.operations.recording import CHOICE, DECIDED, Node, Operation, bare
from neurosim.audit.operations.tape import Tape
from neurosim.audit.operations.world import World
from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.errors import WiringError
from neurosim.kernels import cpu

DRAWS = 4  # runs on random numbers, besides one on those that lie in the buffers
ROWS = 6  # of the axis along which a step may be cut
WEIGHTS = {"forward weight", "feedback weight", "inverse weight", "prediction weight"}
FELT = {"activity", "memory", "image", "error"}  # roles whose numbers change from moment to moment

# What each place may do beyond simple arithmetic; what it may do with a remark; the rest is forbidden.
ALLOWED = {
    "error units": (set(), {K.BY_COUNT, K.TIMES_COUNT}),
    "memory": (set(), set()),
    "gate": (set(), {K.SLOPE, K.SQUARE, K.CURVED}),
    "feedback": ({K.DELIVERED, K.TRANSMITTED}, set()),
    "hebbian": ({K.OUTER}, set()),
    "plasticity": (set(), {K.DIVIDE, K.ROOT, K.SQUARE}),
}


@dataclass
class Ledger:
    """What one step does.

    Args:
        label: of the step. kernel: its name.
        place: ``error units``, ``gate``, ``feedback``, ``hebbian``, ``plasticity``, ``memory``; ``response`` and ``other``
            are counted and not judged, as the conditions say nothing about them; so is the ``read-out``.
        counts: kind -> numbers made by it, in one run on a few rows, on the way to the step's results.
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


def place_of(step: Step) -> str:
    """Where in the simulation a step works, by the roles of what it changes and reads; never by its name."""
    changed = {b.role for b in step.changed.values()}
    read = {b.role for b in (*step.reads.values(), *step.updates.values())}
    if {"error", "value"} <= changed:
        return "error units"
    if "plasticity" in changed or WEIGHTS & {b.role for b in step.updates.values()}:
        return "plasticity"
    if "change" in changed:
        return "hebbian"
    if "memory" in changed:
        return "memory"
    if WEIGHTS & changed:
        return "feedback"
    if "error" in changed:
        return "feedback" if WEIGHTS & read else "gate" if "error" in read else "error units"
    return "response" if {"activity", "gate"} & changed else "other"


def ledger(step: Step, kernels=cpu) -> Ledger:
    """Run a step's kernel on recording arrays and judge what it did.

    Args:
        step: of a plan; its buffers are read, cut to a few rows, and never changed.
        kernels: the module or namespace that has its kernel, where the step does not bring one.

    Raises:
        WiringError: no such kernel.
    """
    kernel = getattr(step, "function", None) or getattr(kernels, step.kernel, None)
    if kernel is None:
        raise WiringError(f"step {step.label!r} asks for the kernel {step.kernel}", "one that the kernels have",
                          "check its name")  # fmt: skip
    found = Ledger(step.label, step.kernel, place_of(step))
    roles = {name: buffer.role for name, buffer in step.buffers.items()}
    tapes = []
    for draw in range(DRAWS + 1):
        tape = Tape(_products(found.place, roles))
        given = {name: _bind(step, name, draw, tape) for name in step.buffers}
        failed = _run(kernel, {**step.scalars, **given}, tape)
        judged = [name for name in step.changed if roles[name] != "value"] or list(step.changed)
        ends = [given[name]._memory.node for name in judged]
        told = [given[name]._memory.node for name in step.changed]
        tapes.append((tape, _reached(ends + tape.control)))
        _judge(found, tapes[-1][1], failed)
        if draw == 0:
            found.counts = _counted(tapes[0][1])
            everything = _counted(_reached(told + tape.control))
            found.reported = {k: n - found.counts.get(k, 0) for k, n in everything.items() if n > found.counts.get(k, 0)}
    for operation in _varying(tapes):
        _file(found, operation, False)
    return found


def readout() -> Ledger:
    """What the linear read-out does, where labels are met for the first time: counted, not judged."""
    from neurosim.readout import softmax  # only here: the audit of a plan needs no read-out

    rng = np.random.default_rng(0)
    tape = Tape(_products("read-out", {"features": "activity", "weights": "forward weight"}))
    features, labels = rng.normal(size=(ROWS, 5)), np.arange(ROWS) % 3
    world, ends = World(tape), []

    class Stand:
        """A table of one block, recorded."""

        def sweep(self, visit, rows=None):
            ends.extend(visit(slice(0, ROWS), tape.new(features, {"features"})))
            return ends

    cost = softmax.Cost.__new__(softmax.Cost)
    cost.table, cost.labels, cost.classes = Stand(), labels, 3
    cost.table.features = features
    weights = tape.new(rng.normal(size=(6, 3)), {"weights"})
    value, slope = world.copy(softmax.Cost.__call__)(cost, weights, 0.1)
    nodes = _reached([value._memory.node, slope._memory.node, *tape.control])
    found = Ledger("the linear read-out learns", "softmax", "read-out", _counted(nodes))
    _judge(found, nodes, None)
    return found


def _products(place: str, roles: dict[str, str]):
    """How a product is named at a place."""

    def name(a, b, summed, operands=()) -> str:
        factors = [{roles.get(label) for label in side - DECIDED} for side in (a, a if b is None else b)]
        active = all(f <= FELT | {"value", "gate"} for f in factors)
        if b is None:
            return K.PRODUCT if active and place != "gate" else K.SQUARE
        if place == "gate" and not summed and not a & b and any((np.asarray(bare(x)) >= 0).all() for x in operands):
            return K.SLOPE
        if place == "hebbian" and len(a) == len(b) == 1 and a != b:
            return K.OUTER
        weights = [f <= WEIGHTS for f in factors]
        if place in ("feedback", "response") and sum(weights) == 1:
            return K.DELIVERED if factors[weights.index(False)] == {"error"} else K.TRANSMITTED
        return K.INNER if summed else K.PRODUCT if active else K.OTHER_PRODUCT

    return name


def _bind(step: Step, name: str, draw: int, tape: Tape):
    """A small recording array for one argument of a step; draw 0 to `DRAWS` - 1 random, the last as the buffer is."""
    buffer = step.buffers[name]
    shape = list(buffer.shape)
    if step.over in buffer.axes:
        place = buffer.axes.index(step.over)
        shape[place] = min(ROWS, shape[place])
    if name in step.writes or name in step.sums:
        blank = np.nan if name in step.writes and buffer.dtype.kind == "f" else 0
        return tape.new(np.full(shape, blank, buffer.dtype))
    whole, real = buffer.base._array is not None, buffer.dtype.kind == "f"
    cut = tuple(slice(0, size) for size in shape)
    if buffer.role in ("rate", "deformation") or (draw == DRAWS and whole) or (buffer.role == "value" and not real):
        array = buffer.array[cut].copy()
    else:
        array = _draw(buffer, shape, np.random.default_rng([draw, *name.encode()]), place_of(step) == "gate")
    counts = buffer.role in ("memory", "plasticity", "value") and not real
    labels = () if counts or buffer.role in ("rate", "deformation") else {CHOICE} if buffer.role == "gate" else {name}
    return tape.new(array, labels)


def _draw(buffer: Buffer, shape, rng, bounded: bool) -> np.ndarray:
    if buffer.dtype.kind != "f":
        if buffer.role in ("memory", "plasticity"):
            return np.full(shape, 1000, buffer.dtype)  # counters: the memory is full, the traces are settled
        return rng.integers(0, 5, shape).astype(buffer.dtype)
    values = rng.normal(size=shape)
    if buffer.role == "plasticity":
        values = np.abs(values)  # squares are no less than 0
    if bounded and buffer.role in FELT:
        values = rng.uniform(-1, 1, shape)  # what a slope is asked for
    elif buffer.role in FELT:  # near and far rows, so that comparisons go both ways
        values *= 10 ** rng.uniform(-3, 0.5, (shape[0], *[1] * (len(shape) - 1)))
    return values.astype(buffer.dtype)


def _run(kernel, arguments, tape: Tape) -> Operation | None:
    try:
        with np.errstate(all="ignore"):
            World(tape).copy(kernel)(**arguments)
    except Exception as problem:  # a kernel may stumble over recording arrays in any way; then nothing is decided
        frame = problem.__traceback__
        while frame.tb_next is not None:
            frame = frame.tb_next
        return Operation(K.FAILURE, frame.tb_frame.f_code.co_filename, frame.tb_lineno, f"{type(problem).__name__}: {problem}")
    return None


def _reached(ends: list[Node | None]) -> list[Node]:
    """Every operation that the ends depend on, once."""
    seen, waiting = {}, [n for n in ends if n is not None]
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            waiting.extend(node.parents)
    return [n for n in seen.values() if n.operation is not None]


def _counted(nodes: list[Node]) -> dict[str, int]:
    counts = Counter()
    for node in nodes:
        counts[node.operation.kind] += node.operation.count
    return dict(sorted(counts.items()))


def _judge(found: Ledger, nodes: list[Node], failed: Operation | None) -> None:
    for node in nodes:
        _file(found, node.operation, node.sums)
    if failed is not None:
        _add(found.undecided, failed)


def _file(found: Ledger, operation: Operation, sums: bool) -> None:
    """Put an operation where it belongs."""
    if found.place == "read-out":
        _add(found.assumed, operation) if operation.kind not in K.SIMPLE else None
        return
    if found.place not in ALLOWED:
        return
    allowed, remarked = ALLOWED[found.place]
    if operation.kind in (K.ESCAPE, K.UNKNOWN):
        _add(found.undecided, operation)
    elif found.place == "plasticity" and sums:
        kept = Operation(K.ACROSS, operation.file, operation.line, operation.text, operation.count, operation.detail)
        _add(found.forbidden, kept)
    elif operation.kind in remarked:
        _add(found.assumed, operation)
    elif operation.kind not in K.SIMPLE | allowed:
        _add(found.forbidden, operation)


def _add(where: list[Operation], operation: Operation) -> None:
    if all((o.kind, o.file, o.line) != (operation.kind, operation.file, operation.line) for o in where):
        where.append(operation)


def _varying(tapes) -> list[Operation]:
    """Factors that should be constants and take other values in other runs: Python counted them by branches on data."""
    found = []
    if not any(tape.control for tape, _ in tapes):
        return found  # no branch, no count
    lines = {(n.operation.file, n.operation.line) for _, nodes in tapes for n in nodes}
    for key in {key for tape, _ in tapes for key in tape.constants}:
        met = [tape.constants[key] for tape, _ in tapes if key in tape.constants]
        if len(set().union(*met)) > max(map(len, met)) and key[:2] in lines:
            found.append(Operation(K.TIMES_COUNT, *key, 1, "a factor that branches decide"))
    return found
