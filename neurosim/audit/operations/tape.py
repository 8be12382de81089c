"""The tape of one run of a kernel: which kind of operation NumPy was asked for, on what, at which line.

`neurosim.audit.operations.recording.Recorded` arrays hand over what NumPy asks of them; the tape computes it on the plain arrays,
names it, and keeps from what it was made.
"""

from __future__ import annotations

import linecache
import math
import os
import sys

import numpy as np

from neurosim.audit.operations import kinds as K
from neurosim.audit.operations.recording import (
    CHOICE,
    COUNT,
    DECIDED,
    NOTHING,
    Memory,
    Node,
    Operation,
    Recorded,
    bare,
    collect,
    labels_of,
    looked_up,
)

_SKIP = (os.path.dirname(np.__file__), os.path.dirname(__file__))


class Tape:
    """What one run of a kernel did.

    Args:
        product: gives the kind of a product from the labels of its two factors, and whether it sums, and the factors.

    Attributes:
        control: nodes that decided a branch or an index: whatever came later depends on them.
        constants: (kind, file, line) -> constant factors met there, to be compared between runs.
    """

    def __init__(self, product=lambda a, b, summed, operands=(): K.INNER if summed else K.PRODUCT):
        self.product = product
        self.control: list[Node] = []
        self.constants: dict[tuple, set] = {}

    def new(self, array, labels=NOTHING, node: Node | None = None, counted: bool = False) -> Recorded:
        """A recording array with memory of its own."""
        array = np.asarray(array)
        return Recorded(array, Memory(array.size, labels, node), self, counted)

    def note(self, kind: str, count: int, inputs, detail: str = "", sums: bool = False) -> Node:
        """Write down one operation; the line is the innermost outside NumPy and this folder."""
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_code.co_filename.startswith(_SKIP):
            frame = frame.f_back
        file, line = frame.f_code.co_filename, frame.f_lineno
        text = linecache.getline(file, line).strip()
        parents = tuple(r._memory.node for r in inputs if r._memory.node is not None)
        return Node(Operation(kind, file, line, text, int(count), detail), parents, sums)

    def escape(self, recorded: Recorded, how: str) -> None:
        """Numbers leave the recording; constants may."""
        if recorded._memory.labels:
            self.control.append(self.note(K.ESCAPE, recorded._array.size, [recorded], how))

    def decide(self, recorded: Recorded) -> None:
        """A number decides which way the kernel goes."""
        if recorded._memory.labels:
            kind = K.COMPARE if recorded._array.dtype != bool else K.SELECT
            self.control.append(self.note(kind, 1, [recorded]))

    def write(self, target, inputs, node: Node, labels, partly: bool = False) -> None:
        """Numbers made by ``node`` now stand in ``target``; where any old number stays, its labels stay."""
        if not isinstance(target, Recorded):
            if labels:
                self.control.append(self.note(K.ESCAPE, np.size(target), inputs, "written into a plain array"))
            return
        memory = target._memory
        whole = target._array.size == memory.size and not partly
        parents = tuple(n for n in (node, None if whole else memory.node) if n is not None)
        memory.node = Node(None, parents)
        memory.labels = frozenset(labels) if whole else memory.labels | labels

    # What NumPy hands over ------------------------------------------------------------------------------------------

    def ufunc(self, ufunc, method: str, inputs: tuple, keywords: dict):
        """An elementwise function of NumPy, or its reduce, accumulate, outer or at."""
        outs = keywords.pop("out", ())
        outs = outs if isinstance(outs, tuple) else (outs,)
        given, more = bare(inputs), bare(keywords)
        met = [*collect(inputs), *collect(keywords)]
        kind, labels = self._elementwise(ufunc.__name__, method, inputs)  # before an operand is overwritten
        if method == "at":
            outs = (inputs[0],)
            getattr(ufunc, method)(*given, **more)
            results = (given[0],)
        else:
            if any(out is not None for out in outs):
                more["out"] = tuple(bare(out) for out in outs)
            result = getattr(ufunc, method)(*given, **more)
            results = result if isinstance(result, tuple) else (result,)
        sums = method in ("reduce", "accumulate", "reduceat")
        size = np.size(results[0])
        if sums:
            size = max(np.size(given[0]) - size, 0) if method == "reduce" else np.size(given[0])
        elif ufunc.__name__ in K.INNERS:
            size *= given[0].shape[-1]
        node = self.noted(kind, size, met, labels, ufunc.__name__, sums)
        kept = keywords.get("where", True) is not True
        made = []
        for number, result in enumerate(results):
            out = outs[number] if number < len(outs) else None
            if out is not None:
                self.write(out, met, node, labels, partly=kept or method == "at")
                made.append(out)
            else:
                made.append(self.new(result, labels, node, any(r._counted for r in met)))
        return None if method == "at" else made[0] if len(made) == 1 else tuple(made)

    def noted(self, kind: str, size: int, met, labels, detail: str, sums: bool = False) -> Node:
        """As `note`; arithmetic on constants alone leaves no operation."""
        if not labels and kind != K.ESCAPE:
            return Node(None, tuple(r._memory.node for r in met if r._memory.node is not None))
        return self.note(kind, size, met, detail, sums)

    def _elementwise(self, name: str, method: str, inputs) -> tuple[str, frozenset]:
        kind = K.UFUNCS.get(name, K.UNKNOWN)
        operands = inputs[:2] if method in ("__call__", "outer") else (inputs[:1] if method != "at" else (inputs[0], *inputs[2:]))
        factors = [labels_of(x) for x in operands]
        labels = frozenset().union(*factors)
        if name == "power" and labels_of(operands[-1]) == NOTHING and np.ndim(bare(operands[-1])) == 0:
            kind = {2: K.SQUARE, 0.5: K.ROOT, 1: K.COPY, -1: K.DIVIDE}.get(float(bare(operands[-1])), K.POWER)
        if kind == "shift":
            kind = "multiply" if labels_of(operands[1]) <= {CHOICE} else K.POWER
        if kind in ("multiply", K.SQUARE, "all product", K.INNER):
            if kind == "multiply" and len(factors) == 2:
                return self._product(operands, *factors, False)
            if len(factors) == 2 and kind == K.INNER:
                return self._product(operands, *factors, True)
            return self.product(labels, None, False), labels
        if kind == K.DIVIDE and len(factors) == 2 and name not in ("floor_divide", "remainder", "fmod", "divmod"):
            above, below = factors
            if not below:
                self._constant(K.DIVIDE, operands[1])
                return K.CONSTANT, above
            kind = K.BY_COUNT if below <= DECIDED else K.DIVIDE
        elif kind == K.DIVIDE and labels and labels <= DECIDED:
            kind = K.BY_COUNT
        elif kind == K.COMPARE:
            extremes = name in ("maximum", "minimum", "fmax", "fmin", "clip")
            return kind, labels if extremes and labels - {CHOICE} else frozenset({CHOICE}) if labels else NOTHING
        elif kind in (K.ADD, K.SUBTRACT) and labels and labels <= DECIDED:
            several = sum(bool(f) for f in factors) > 1 or method not in ("__call__", "outer")
            return kind, frozenset({COUNT}) if several else labels
        elif kind in (K.ADD, K.SUBTRACT) and len(labels) > 1:
            return kind, labels - {CHOICE}
        return kind, labels

    def _product(self, operands, a, b, summed) -> tuple[str, frozenset]:
        if not a or not b:
            self._constant(K.CONSTANT, operands[1 if a else 0])
            return K.CONSTANT, a or b
        if (a == {CHOICE} or b == {CHOICE}) and not summed:
            few = any(side == {CHOICE} and _few(bare(x)) for side, x in zip((a, b), operands, strict=True))
            return (K.SELECT if few else K.LOOK_UP), (a | b) - {CHOICE} or frozenset({CHOICE})
        if a <= DECIDED and b <= DECIDED:
            return (K.ADD if summed else K.TIMES_COUNT), frozenset({COUNT})
        if a <= DECIDED or b <= DECIDED:
            return (K.ADD if summed and CHOICE in a & b else K.TIMES_COUNT), a | b
        same = operands[0] is operands[1] and not summed
        return self.product(a, None if same else b, summed, operands), a | b

    def _constant(self, kind, operand) -> None:
        array = np.asarray(bare(operand))
        if array.size <= 1024:
            operation = self.note(kind, 1, ()).operation
            self.constants.setdefault((operation.file, operation.line, operation.text), set()).add(array.tobytes())

    def function(self, function, arguments, keywords):
        """Any other function of NumPy."""
        name = function.__name__
        out = keywords.get("out")
        taken = arguments[1:] if name in K.CHANGING else arguments
        met = [*collect(taken), *collect({k: v for k, v in keywords.items() if k != "out"})]
        kind, labels = self._kind(name, arguments, met)  # before an operand is overwritten
        result = function(*bare(arguments), **bare(keywords))
        counted = any(r._counted for r in met) or (name in ("nonzero", "flatnonzero", "argwhere", "unique", "compress",
                                                            "extract", "delete") and bool(labels))  # fmt: skip
        before = max((r._array.size for r in met), default=0)
        after = before if result is None else _size(result)
        sums = kind in (K.ADD, K.COMPARE, K.INNER) and after < before
        node = None if name in K.BLANK else self.noted(kind, before if sums else after, met, labels, name, sums)
        if name in ("mean", "nanmean") and labels:
            by = K.BY_COUNT if any(r._counted for r in met) else K.CONSTANT
            node = Node(self.note(by, _size(result), met, name).operation, (node,))
        if name in K.CHANGING:
            self.write(arguments[0], met, node, labels, partly=name != "copyto" or "where" in keywords)
            return None
        if out is not None:
            self.write(out[0] if isinstance(out, tuple) else out, met, node, labels)
            return out
        return self._wrap(result, met, labels, node, counted)

    def _kind(self, name, arguments, met) -> tuple[str, frozenset]:
        kind = K.FUNCTIONS.get(name, K.UNKNOWN)
        labels = frozenset().union(*(r._memory.labels for r in met))
        if name in K.BLANK:
            return K.COPY, NOTHING
        if name in ("take", "take_along_axis") and looked_up(arguments[0], met[1:]):
            return K.COPY, looked_up(arguments[0], met[1:])
        if kind == K.INNER:
            known = [r for r in met if r._memory.labels]
            if len(known) == 1 or not labels:
                return (K.CONSTANT if labels else K.COPY), labels
            return self._product(known, known[0]._memory.labels, frozenset().union(*(r._memory.labels for r in known[1:])), True)
        if kind == "all product":
            return self.product(labels, None, False), labels
        if kind == "mean":
            return K.ADD, labels
        if kind == K.COMPARE:
            values = name in ("where", "select", "max", "min", "amax", "amin", "sort", "clip", "median", "maximum", "minimum",
                              "nanmax", "nanmin", "partition", "ptp", "nanmedian", "unique")  # fmt: skip
            if name in ("where", "select") and len(arguments) > 1:
                kind = K.SELECT
            return kind, (labels - {CHOICE} or labels) if values else frozenset({CHOICE}) if labels else NOTHING
        if kind == K.ADD and labels and labels <= DECIDED:
            return kind, frozenset({COUNT})
        return kind, labels

    def _wrap(self, result, met, labels, node, counted):
        if isinstance(result, tuple | list):
            return type(result)(self._wrap(r, met, labels, node, counted) for r in result)
        if not isinstance(result, np.ndarray | np.generic):
            return result if not labels or not isinstance(result, int | float) else self.new(result, labels, node)
        if isinstance(result, np.ndarray):
            for r in met:
                if result.size and np.may_share_memory(result, r._array):
                    return Recorded(result, r._memory, self, counted)
        return self.new(result, labels, node, counted)


def _few(array) -> bool:
    """Whether an array of choices lets through or turns round; with more values it would be a quantity."""
    array = np.asarray(array)
    if array.ndim == 0:
        return array.dtype.kind != "i" or int(array) in (-1, 0, 1)
    return array.dtype == bool or len(np.unique(array)) <= 2


def _size(result) -> int:
    return sum(_size(r) for r in result) if isinstance(result, tuple | list) else int(np.size(result))


def by_math(tape: Tape, name: str, arguments):
    """A function of Python's ``math`` on recording numbers."""
    met = collect(arguments)
    value = getattr(math, name)(*(bare(list(a)) if isinstance(a, Recorded) and a.ndim else bare(a) for a in arguments))
    labels = frozenset().union(*(r._memory.labels for r in met))
    kind = K.MATH.get(name, K.UNKNOWN)
    if kind in ("multiply", "all product", "inner"):
        kind = tape.product(labels, None, False)
    return tape.new(value, labels, tape.noted(kind, 1, met, labels, f"math.{name}"))
