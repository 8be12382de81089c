"""Naming: the category of what NumPy is asked for, and where the numbers of its result come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neurosim.audit.operations import categories as C
from neurosim.audit.operations.operation import CHOICE, COUNT, DECIDED, NOTHING, Labels
from neurosim.audit.operations.recording import Recorded, bare, labels_of, looked_up

Product = Callable[..., str]  # from the labels of two factors, whether it sums, and the factors, to a category
Named = tuple[str, Labels]  # the category, and the labels of the result
_POWERS = {2: C.SQUARE, 0.5: C.ROOT, 1: C.COPY, -1: C.DIVIDE}
_EXTREMES = ("maximum", "minimum", "fmax", "fmin", "clip")
# Comparisons whose results are numbers that they compare, not choices.
_VALUES = {
    *("where", "select", "max", "min", "amax", "amin", "nanmax", "nanmin", "maximum", "minimum", "ptp", "clip"),
    *("sort", "partition", "median", "nanmedian", "unique"),
}


class Naming:
    """Names operations on labelled numbers.

    Args:
        product: as of `neurosim.audit.operations.tape.Tape`.
        constant: is called with the category and the operand wherever a factor is a constant.
    """

    def __init__(self, product: Product, constant: Callable[[str, Any], None]):
        self.product, self._constant = product, constant

    # -- elementwise functions

    def elementwise(self, name: str, method: str, inputs: tuple[Any, ...]) -> Named:
        """Name an elementwise function of NumPy, or its reduce, accumulate, outer or at."""
        operands = _operands(method, inputs)
        factors = [labels_of(x) for x in operands]
        labels: Labels = NOTHING.union(*factors)
        kind = self._kind_of_ufunc(name, operands)
        if kind in (C.MULTIPLY, C.SQUARE, C.ALL_PRODUCT, C.INNER):
            if kind in (C.MULTIPLY, C.INNER) and len(factors) == 2:
                return self._product(operands, factors[0], factors[1], kind == C.INNER)
            return self.product(labels, None, False), labels
        if kind == C.DIVIDE:
            return self._division(name, operands, factors)
        if kind == C.COMPARE:
            if name in _EXTREMES and labels - {CHOICE}:
                return kind, labels
            return kind, frozenset({CHOICE}) if labels else NOTHING
        if kind in (C.ADD, C.SUBTRACT) and labels and labels <= DECIDED:
            several = sum(bool(f) for f in factors) > 1 or method not in ("__call__", "outer")
            return kind, frozenset({COUNT}) if several else labels
        if kind in (C.ADD, C.SUBTRACT) and len(labels) > 1:
            return kind, labels - {CHOICE}
        return kind, labels

    @staticmethod
    def _kind_of_ufunc(name: str, operands: tuple[Any, ...]) -> str:
        kind = C.UFUNCS.get(name, C.UNKNOWN)
        if name == "power" and labels_of(operands[-1]) == NOTHING and np.ndim(bare(operands[-1])) == 0:
            return _POWERS.get(float(bare(operands[-1])), C.POWER)
        if kind == C.SHIFT:
            return C.MULTIPLY if labels_of(operands[1]) <= {CHOICE} else C.POWER
        return kind

    def _division(self, name: str, operands: tuple[Any, ...], factors: list[Labels]) -> Named:
        labels: Labels = NOTHING.union(*factors)
        if len(factors) == 2 and name not in ("floor_divide", "remainder", "fmod", "divmod", "power", "float_power"):
            above, below = factors
            if not below:
                self._constant(C.DIVIDE, operands[1])
                return C.CONSTANT, above
            return (C.BY_COUNT if below <= DECIDED else C.DIVIDE), labels
        return (C.BY_COUNT if labels and labels <= DECIDED else C.DIVIDE), labels

    def _product(self, operands: Any, a: Labels, b: Labels, summed: bool) -> Named:
        if not a or not b:
            self._constant(C.CONSTANT, operands[1 if a else 0])
            return C.CONSTANT, a or b
        if (a == {CHOICE} or b == {CHOICE}) and not summed:
            few = any(side == {CHOICE} and _few(bare(x)) for side, x in zip((a, b), operands, strict=True))
            return (C.SELECT if few else C.LOOK_UP), (a | b) - {CHOICE} or frozenset({CHOICE})
        if a <= DECIDED and b <= DECIDED:
            return (C.ADD if summed else C.TIMES_COUNT), frozenset({COUNT})
        if a <= DECIDED or b <= DECIDED:
            return (C.ADD if summed and CHOICE in a & b else C.TIMES_COUNT), a | b
        same = operands[0] is operands[1] and not summed
        return self.product(a, None if same else b, summed, operands), a | b

    # -- other functions

    def function(self, name: str, arguments: tuple[Any, ...], operands: list[Recorded]) -> Named:
        """Name any other function of NumPy."""
        kind = C.FUNCTIONS.get(name, C.UNKNOWN)
        labels: Labels = NOTHING.union(*(r.memory.labels for r in operands))
        if name in C.BLANK:
            return C.COPY, NOTHING
        if name in ("take", "take_along_axis") and looked_up(arguments[0], operands[1:]):
            return C.COPY, looked_up(arguments[0], operands[1:])
        if kind == C.INNER:
            return self._inner(operands, labels)
        if kind == C.ALL_PRODUCT:
            return self.product(labels, None, False), labels
        if kind == C.MEAN:
            return C.ADD, labels
        if kind == C.COMPARE:
            if name in ("where", "select") and len(arguments) > 1:
                kind = C.SELECT
            if name in _VALUES:
                return kind, labels - {CHOICE} or labels
            return kind, frozenset({CHOICE}) if labels else NOTHING
        if kind == C.ADD and labels and labels <= DECIDED:
            return kind, frozenset({COUNT})
        return kind, labels

    def _inner(self, operands: list[Recorded], labels: Labels) -> Named:
        known = [r for r in operands if r.memory.labels]
        if len(known) == 1 or not labels:
            return (C.CONSTANT if labels else C.COPY), labels
        rest: Labels = NOTHING.union(*(r.memory.labels for r in known[1:]))
        return self._product(known, known[0].memory.labels, rest, True)


def _operands(method: str, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs that are numbers, and no index."""
    if method in ("__call__", "outer"):
        return inputs[:2]
    return inputs[:1] if method != "at" else (inputs[0], *inputs[2:])


def _few(array: Any) -> bool:
    """Whether an array of choices lets through or turns round; with more values it would be a quantity."""
    array = np.asarray(array)
    if array.ndim == 0:
        return array.dtype.kind != "i" or int(array) in (-1, 0, 1)
    return bool(array.dtype == bool) or len(np.unique(array)) <= 2
