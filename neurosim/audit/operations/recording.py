"""Recording arrays: they compute what NumPy computes, and write down what is done to them.

A `Recorded` is no subclass of ``ndarray``: an array of a subclass loses its class unnoticed in ``np.asarray`` and
in compiled code, whereas nothing gets out of a `Recorded` but through its methods. It implements NumPy's two array
protocols (``__array_ufunc__``, ``__array_function__``), and every way out of them (``float``, ``np.asarray``, a plain
array given as ``out``) is written down as an escape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from neurosim.audit.operations import categories as C
from neurosim.audit.operations.operation import CHOICE, COUNT, DECIDED, NOTHING, TABLE, Labels, Memory, Node
from neurosim.audit.operations.sized import Sized

if TYPE_CHECKING:
    from neurosim.audit.operations.tape import Tape
    from neurosim.core.typing import Array


class Kind:
    """The dtype of a recording array: its ``type`` keeps what it converts inside the recording."""

    def __init__(self, dtype: np.dtype[Any]):
        self.dtype = dtype

    def type(self, value: Any) -> Any:
        """A number, or a recording array, of this type."""
        return value.astype(self.dtype) if isinstance(value, Recorded) else self.dtype.type(value)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "dtype"), name)

    def __eq__(self, other: object) -> bool:
        return bool(self.dtype == bare(other))

    def __hash__(self) -> int:
        return hash(self.dtype)


class Recorded(Sized, NDArrayOperatorsMixin):
    """An array that writes down what is done to it; made by `Tape.new`.

    Args:
        array: the plain numbers.
        memory: what is known of them.
        tape: where it is written down.
        counted: comparisons have chosen how many rows there are.
    """

    __slots__ = ("counted", "memory", "tape")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, array: Array, memory: Memory, tape: Tape, counted: bool = False):
        super().__init__(array)
        self.memory, self.tape, self.counted = memory, tape, counted

    @property
    def dtype(self) -> Kind:
        """As of a plain array; what it converts stays in the recording."""
        return Kind(self.array.dtype)

    @property
    def T(self) -> Recorded:
        """As of a plain array."""
        return self._shown(self.array.T)

    @property
    def real(self) -> Recorded:
        """As of a plain array."""
        return self._shown(self.array.real)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        return self.tape.ufunc(ufunc, method, inputs, keywords)

    def __array_function__(self, function: Callable[..., Any], types: Any, arguments: Any, keywords: Any) -> Any:
        return self.tape.function(function, arguments, keywords)

    def _shown(self, array: Array) -> Recorded:
        """The same numbers in another form: a view, or a copy of them."""
        if np.may_share_memory(array, self.array) or not array.size:
            return Recorded(array, self.memory, self.tape, self.counted)
        return self.tape.new(array, self.memory.labels, self.memory.node, self.counted)

    # -- parts

    def __getitem__(self, index: Any) -> Recorded:
        chosen = collect(index)
        result = np.asarray(self.array[bare(index)]) if not self.array.ndim else self.array[bare(index)]
        is_view = isinstance(result, np.ndarray) and np.may_share_memory(result, self.array)
        if is_view and not chosen:
            return Recorded(result, self.memory, self.tape, self.counted)
        by: Labels = NOTHING.union(*(r.memory.labels for r in chosen))
        node = self._choice(np.size(result), [self, *chosen], by)
        counted = bool(by) and np.ndim(result) > 0 and _counts(index, chosen)
        if is_view and result.size:
            self.tape.control.append(node)
            return Recorded(result, self.memory, self.tape, counted)
        labels = self.memory.labels | by
        labels = looked_up(self, chosen) or labels - DECIDED or labels
        return self.tape.new(result, labels, node, counted or (self.counted and np.ndim(result) > 0))

    def _choice(self, count: int, operands: list[Recorded], by: Labels) -> Node:
        """Numbers chosen by others: a look-up where these are no mere choices."""
        if by - DECIDED:
            return self.tape.note(C.LOOK_UP, count, operands)
        return Node(None, tuple(r.memory.node for r in operands if r.memory.node is not None))

    def __setitem__(self, index: Any, value: Any) -> None:
        operands = [*collect(value), *collect(index)]
        self.array[bare(index)] = bare(value)
        labels: Labels = NOTHING.union(*(r.memory.labels for r in operands))
        labels = labels - DECIDED or labels
        node = self.tape.noted(C.COPY, np.size(bare(value)), operands, labels, "")
        if any(r.memory.labels - DECIDED for r in collect(index)):
            node = Node(self.tape.note(C.LOOK_UP, 1, operands).operation, (node,))
        whole = index is Ellipsis or (isinstance(index, slice) and not collect(index) and index == slice(None))
        self.tape.write(self, operands, node, labels, partly=not whole)

    def __iter__(self) -> Iterator[Recorded]:
        if self.counted:
            self.tape.decide(self)
        return (self[i] for i in range(len(self.array)))

    # -- ways out

    def __len__(self) -> int:
        if self.counted:
            self.tape.escape(self, "len of a chosen part")
        return len(self.array)

    def length(self) -> int | Recorded:
        """How many rows; a count where comparisons have chosen them."""
        if not self.counted:
            return len(self.array)
        return self.tape.new(len(self.array), {COUNT}, self.memory.node)

    def __bool__(self) -> bool:
        self.tape.decide(self)
        return bool(self.array)

    def __index__(self) -> int:
        if self.memory.labels - DECIDED:
            self.tape.escape(self, "an index")
        else:
            self.tape.decide(self)
        return self.array.__index__()

    def __float__(self) -> float:
        self.tape.escape(self, "float()")
        return float(self.array)

    def __int__(self) -> int:
        self.tape.escape(self, "int()")
        return int(self.array)

    def __complex__(self) -> complex:
        self.tape.escape(self, "complex()")
        return complex(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        self.tape.escape(self, "handed over as a plain array")
        return self.array.astype(dtype or self.array.dtype)

    def __round__(self, digits: int = 0) -> Any:
        return self.tape.function(np.round, (self, digits), {})

    def __repr__(self) -> str:
        return f"<recording array {self.shape}>"

    # -- methods of arrays

    def astype(self, dtype: Any, **_: Any) -> Recorded:
        """As of a plain array; to whole numbers it rounds, to truth values it compares."""
        dtype = np.dtype(bare(dtype))
        labels = self.memory.labels
        rounds = dtype.kind in "iu" and self.array.dtype.kind == "f"
        kind = C.ROUND if rounds else C.COMPARE if dtype.kind == "b" else C.COPY
        with np.errstate(all="ignore"):
            result = self.array.astype(dtype)
        node = self.tape.noted(kind, self.size, [self], labels, "astype")
        return self.tape.new(result, {CHOICE} if kind == C.COMPARE and labels else labels, node, self.counted)

    def copy(self, *_: Any) -> Recorded:
        """As of a plain array."""
        node = self.tape.noted(C.COPY, self.size, [self], self.memory.labels, "copy")
        return self.tape.new(self.array.copy(), self.memory.labels, node, self.counted)

    def fill(self, value: Any) -> None:
        """As of a plain array."""
        self[...] = value

    def view(self, dtype: Any = None) -> Recorded:
        """As of a plain array."""
        if dtype is None:
            return self
        other = np.dtype(bare(dtype))
        if other.kind != self.array.dtype.kind and self.memory.labels:  # the bits of a number: its logarithm, nearly
            parents = [self]
            self.memory.node = self.tape.note(C.LOG, self.size, parents, f"bits read as {other}")
        return Recorded(self.array.view(other), self.memory, self.tape, self.counted)

    def reshape(self, *shape: Any, **order: Any) -> Recorded:
        """As of a plain array."""
        return self._shown(self.array.reshape(*bare(shape), **order))

    def transpose(self, *axes: Any) -> Recorded:
        """As of a plain array."""
        return self._shown(self.array.transpose(*axes))

    def flatten(self) -> Recorded:
        """As of a plain array."""
        flat: Recorded = self.ravel().copy()
        return flat

    def item(self, *index: SupportsIndex) -> Recorded:
        """As of a plain array, but the number stays in the recording."""
        return self._shown(np.asarray(self.array.item(*index)))

    def tolist(self) -> Any:
        """As of a plain array, but the numbers stay in the recording."""
        return [r.tolist() if r.ndim else r for r in self] if self.ndim else self

    def sort(self, axis: int = -1) -> None:
        """As of a plain array."""
        self[...] = np.sort(self, axis)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Methods of arrays that are functions of NumPy too: ``x.sum()`` is ``np.sum(x)``."""
        function = getattr(np, name, None)
        if name.startswith("_") or not hasattr(np.ndarray, name) or function is None:
            raise AttributeError(f"a recording array has no {name}")
        return lambda *arguments, **keywords: self.tape.function(function, (self, *arguments), keywords)


def looked_up(table: Any, chosen: Iterable[Recorded]) -> Labels:
    """The label of constants that comparisons found by their numbers: any function of an activity could stand there."""
    plain = isinstance(table, Recorded) and not table.memory.labels and table.array.dtype.kind == "f"
    numbers = [r for r in chosen if r.memory.labels and r.array.dtype.kind in "iu"]
    return frozenset({TABLE}) if plain and numbers else NOTHING


def _counts(index: Any, chosen: Iterable[Recorded]) -> bool:
    """Whether an index gives as many as comparisons chose."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(p, slice) and collect(p) for p in parts) or any(
        r.counted or (r.array.dtype == bool and r.memory.labels) for r in chosen
    )


def collect(thing: Any) -> list[Recorded]:
    """Every recording array inside tuples, lists, dictionaries and slices."""
    if isinstance(thing, Recorded):
        return [thing]
    if isinstance(thing, dict):
        thing = tuple(thing.values())
    elif isinstance(thing, slice):
        thing = (thing.start, thing.stop, thing.step)
    return [r for x in thing for r in collect(x)] if isinstance(thing, tuple | list) else []


def bare(thing: Any) -> Any:
    """The same with plain arrays, for NumPy."""
    if isinstance(thing, Recorded):
        return thing.array
    if isinstance(thing, Kind):
        return thing.dtype
    if isinstance(thing, type):
        return getattr(thing, "plain", thing)
    if isinstance(thing, dict):
        return {key: bare(value) for key, value in thing.items()}
    if isinstance(thing, slice):
        return slice(*(_whole(x) for x in (thing.start, thing.stop, thing.step)))
    if type(thing) in (tuple, list):
        return type(thing)(bare(x) for x in thing)
    return thing


def _whole(x: Any) -> Any:
    return int(x.array) if isinstance(x, Recorded) else x


def labels_of(thing: Any) -> Labels:
    """Where the numbers of an operand come from."""
    return NOTHING.union(*(r.memory.labels for r in collect(thing)))
