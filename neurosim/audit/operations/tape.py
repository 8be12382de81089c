"""The tape of one run of a kernel: which operation NumPy was asked for, on what, at which line.

`neurosim.audit.operations.recording.Recorded` arrays hand over what NumPy asks of them; the tape computes it on the plain
arrays, has it named, and keeps from what it was made.
"""

from __future__ import annotations

import linecache
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from neurosim.audit.operations import categories as C
from neurosim.audit.operations.naming import Naming, Product
from neurosim.audit.operations.operation import NOTHING, Labels, Memory, Node, Operation
from neurosim.audit.operations.recording import Recorded, bare, collect

_SKIP = (os.path.dirname(np.__file__), os.path.dirname(__file__))
_CHOOSING = ("nonzero", "flatnonzero", "argwhere", "unique", "compress", "extract", "delete")  # how many, data decide


def _any_product(a: Labels, b: Labels | None, summed: bool, operands: tuple[Any, ...] = ()) -> str:
    return C.INNER if summed else C.PRODUCT


class Tape:
    """What one run of a kernel did.

    Args:
        product: gives the category of a product from the labels of its two factors, whether it sums, and the factors.

    Attributes:
        control: nodes that decided a branch or an index: whatever came later depends on them.
        constants: (file, line, text) -> constant factors that occurred there, to be compared between runs.
    """

    def __init__(self, product: Product = _any_product):
        self.product = product
        self.control: list[Node] = []
        self.constants: dict[tuple[str, int, str], set[bytes]] = {}
        self.naming = Naming(product, self._constant)

    def new(
        self, array: Any, labels: Iterable[str] = NOTHING, node: Node | None = None, counted: bool = False
    ) -> Recorded:
        """A recording array with memory of its own."""
        array = np.asarray(array)
        return Recorded(array, Memory(array.size, labels, node), self, counted)

    def note(self, kind: str, count: int, inputs: Sequence[Recorded], detail: str = "", sums: bool = False) -> Node:
        """Write down one operation; the line is the innermost outside NumPy and this folder."""
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_code.co_filename.startswith(_SKIP):
            frame = frame.f_back
        file, line = frame.f_code.co_filename, frame.f_lineno
        text = linecache.getline(file, line).strip()
        return Node(Operation(kind, file, line, text, int(count), detail), _parents(inputs), sums)

    def noted(
        self, kind: str, size: int, inputs: Sequence[Recorded], labels: Labels, detail: str, sums: bool = False
    ) -> Node:
        """As `note`; arithmetic on constants alone leaves no operation."""
        if not labels and kind != C.ESCAPE:
            return Node(None, _parents(inputs))
        return self.note(kind, size, inputs, detail, sums)

    def _constant(self, kind: str, operand: Any) -> None:
        """Write down a constant factor."""
        array = np.asarray(bare(operand))
        if array.size <= 1024:
            operation = self.note(kind, 1, ()).operation
            assert operation is not None
            place = (operation.file, operation.line, operation.text)
            self.constants.setdefault(place, set()).add(array.tobytes())

    def escape(self, recorded: Recorded, how: str) -> None:
        """Numbers leave the recording; constants may."""
        if recorded.memory.labels:
            self.control.append(self.note(C.ESCAPE, recorded.array.size, [recorded], how))

    def decide(self, recorded: Recorded) -> None:
        """A number decides which way the kernel goes."""
        if recorded.memory.labels:
            kind = C.COMPARE if recorded.array.dtype != bool else C.SELECT
            self.control.append(self.note(kind, 1, [recorded]))

    def write(
        self, target: Any, inputs: Sequence[Recorded], node: Node | None, labels: Labels, partly: bool = False
    ) -> None:
        """Numbers made by ``node`` now stand in ``target``; where any old number stays, its labels stay."""
        if not isinstance(target, Recorded):
            if labels:
                self.control.append(self.note(C.ESCAPE, np.size(target), inputs, "written into a plain array"))
            return
        memory = target.memory
        whole = target.array.size == memory.size and not partly
        memory.node = Node(None, tuple(n for n in (node, None if whole else memory.node) if n is not None))
        memory.labels = frozenset(labels) if whole else memory.labels | labels

    # -- what NumPy hands over

    def ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """An elementwise function of NumPy, or its reduce, accumulate, outer or at."""
        outs = keywords.pop("out", ())
        outs = outs if isinstance(outs, tuple) else (outs,)
        operands = [*collect(inputs), *collect(keywords)]
        kind, labels = self.naming.elementwise(ufunc.__name__, method, inputs)  # before an operand is overwritten
        results = _computed(ufunc, method, bare(inputs), outs, bare(keywords))
        if method == "at":
            outs = (inputs[0],)
        sums = method in ("reduce", "accumulate", "reduceat")
        size = _work(ufunc, method, bare(inputs)[0], np.size(results[0]))
        node = self.noted(kind, size, operands, labels, ufunc.__name__, sums)
        partly = keywords.get("where", True) is not True or method == "at"
        made = []
        for number, result in enumerate(results):
            out = outs[number] if number < len(outs) else None
            if out is not None:
                self.write(out, operands, node, labels, partly=partly)
                made.append(out)
            else:
                made.append(self.new(result, labels, node, any(r.counted for r in operands)))
        return None if method == "at" else made[0] if len(made) == 1 else tuple(made)

    def function(self, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Any other function of NumPy."""
        name, out = function.__name__, keywords.get("out")
        inputs = arguments[1:] if name in C.CHANGING else arguments
        operands = [*collect(inputs), *collect({k: v for k, v in keywords.items() if k != "out"})]
        kind, labels = self.naming.function(name, arguments, operands)  # before an operand is overwritten
        result = function(*bare(arguments), **bare(keywords))
        node = self._node(name, kind, operands, labels, result)
        if name in C.CHANGING:
            self.write(arguments[0], operands, node, labels, partly=name != "copyto" or "where" in keywords)
            return None
        if out is not None:
            self.write(out[0] if isinstance(out, tuple) else out, operands, node, labels)
            return out
        counted = any(r.counted for r in operands) or (name in _CHOOSING and bool(labels))
        return self._wrap(result, operands, labels, node, counted)

    def _node(self, name: str, kind: str, operands: list[Recorded], labels: Labels, result: Any) -> Node | None:
        """What a function of NumPy did; None: it gives no numbers."""
        if name in C.BLANK:
            node = None
        else:
            before = max((r.array.size for r in operands), default=0)
            after = before if result is None else _size(result)
            sums = kind in (C.ADD, C.COMPARE, C.INNER) and after < before
            node = self.noted(kind, before if sums else after, operands, labels, name, sums)
        if name in ("mean", "nanmean") and labels:
            assert node is not None
            by = C.BY_COUNT if any(r.counted for r in operands) else C.CONSTANT
            node = Node(self.note(by, _size(result), operands, name).operation, (node,))
        return node

    def _wrap(self, result: Any, operands: list[Recorded], labels: Labels, node: Node | None, counted: bool) -> Any:
        """A result of NumPy with its arrays recording."""
        if isinstance(result, tuple | list):
            return type(result)(self._wrap(r, operands, labels, node, counted) for r in result)
        if not isinstance(result, np.ndarray | np.generic):
            return result if not labels or not isinstance(result, int | float) else self.new(result, labels, node)
        if isinstance(result, np.ndarray):
            for r in operands:
                if result.size and np.may_share_memory(result, r.array):
                    return Recorded(result, r.memory, self, counted)
        return self.new(result, labels, node, counted)


def _parents(inputs: Iterable[Recorded]) -> tuple[Node, ...]:
    return tuple(r.memory.node for r in inputs if r.memory.node is not None)


def _computed(
    ufunc: np.ufunc, method: str, given: tuple[Any, ...], outs: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[Any, ...]:
    """The plain results of an elementwise function."""
    if method == "at":
        getattr(ufunc, method)(*given, **keywords)
        return (given[0],)
    if any(out is not None for out in outs):
        keywords["out"] = tuple(bare(out) for out in outs)
    result = getattr(ufunc, method)(*given, **keywords)
    return result if isinstance(result, tuple) else (result,)


def _work(ufunc: np.ufunc, method: str, first: Any, size: int) -> int:
    """How many numbers were worked on, from the first operand and the size of the result."""
    if method == "reduce":
        return max(int(np.size(first)) - size, 0)
    if method in ("accumulate", "reduceat"):
        return int(np.size(first))
    return size * int(first.shape[-1]) if ufunc.__name__ in C.INNERS else size


def _size(result: Any) -> int:
    return sum(_size(r) for r in result) if isinstance(result, tuple | list) else int(np.size(result))


def by_math(tape: Tape, name: str, arguments: tuple[Any, ...]) -> Recorded:
    """A function of Python's ``math`` on recording numbers."""
    operands = collect(arguments)
    plain = [bare(list(a)) if isinstance(a, Recorded) and a.ndim else bare(a) for a in arguments]
    value = getattr(math, name)(*plain)
    labels = NOTHING.union(*(r.memory.labels for r in operands))
    kind = C.MATH.get(name, C.UNKNOWN)
    if kind in (C.MULTIPLY, C.ALL_PRODUCT):
        kind = tape.product(labels, None, False)
    return tape.new(value, labels, tape.noted(kind, 1, operands, labels, f"math.{name}"))
