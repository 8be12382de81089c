"""Recording arrays: they compute what NumPy computes, and write down what is done to them.

A `Recorded` is no subclass of ``ndarray``: an array of a subclass loses its class without a word in ``np.asarray`` and
in compiled code, whereas nothing gets out of a `Recorded` but through its methods. It speaks NumPy's two array
protocols (``__array_ufunc__``, ``__array_function__``), and every way out of them (``float``, ``np.asarray``, a plain
array given as ``out``) is written down as an escape.

Each holds *labels*: which of the step's arguments its numbers come from. Numbers without a label are constants.
Comparisons give the label `CHOICE` alone, sums of choices `COUNT`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from neurosim.audit.operations import kinds as K

CHOICE, COUNT, TABLE = "choice", "count", "look-up"
DECIDED = frozenset({CHOICE, COUNT})
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Operation:
    """One kind of operation at one source line.

    Args:
        kind: one of `neurosim.audit.operations.kinds`.
        file, line, text: where, and what stands there.
        count: how many numbers it made.
        detail: the function, or what left the recording.
    """

    kind: str
    file: str
    line: int
    text: str
    count: int = 1
    detail: str = ""

    def __str__(self):
        more = f" ({self.detail})" if self.detail else ""
        return f"{self.kind}{more} at {os.path.basename(self.file)}:{self.line}: {self.text}"


class Node:
    """One operation as it happened, with what it was made from."""

    __slots__ = ("operation", "parents", "sums")

    def __init__(self, operation: Operation | None, parents: tuple, sums: bool = False):
        self.operation, self.parents, self.sums = operation, parents, sums


class Memory:
    """What is known of a piece of memory, for every view on it."""

    __slots__ = ("labels", "node", "size")

    def __init__(self, size: int, labels=NOTHING, node: Node | None = None):
        self.size, self.labels, self.node = size, frozenset(labels), node


class Kind:
    """The dtype of a recording array: its ``type`` keeps what it converts inside the recording."""

    def __init__(self, dtype: np.dtype):
        self.dtype = dtype

    def type(self, value):
        return value.astype(self.dtype) if isinstance(value, Recorded) else self.dtype.type(value)

    def __getattr__(self, name):
        return getattr(object.__getattribute__(self, "dtype"), name)

    def __eq__(self, other):
        return self.dtype == bare(other)

    def __hash__(self):
        return hash(self.dtype)


class Recorded(NDArrayOperatorsMixin):
    """An array that writes down what is done to it; made by `Tape.new`."""

    __slots__ = ("_array", "_counted", "_memory", "_tape")
    __hash__ = None

    def __init__(self, array: np.ndarray, memory: Memory, tape, counted: bool = False):
        self._array, self._memory, self._tape, self._counted = array, memory, tape, counted

    shape = property(lambda self: self._array.shape)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    itemsize = property(lambda self: self._array.itemsize)
    nbytes = property(lambda self: self._array.nbytes)
    strides = property(lambda self: self._array.strides)
    dtype = property(lambda self: Kind(self._array.dtype))
    T = property(lambda self: self._seen(self._array.T))
    real = property(lambda self: self._seen(self._array.real))

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        return self._tape.ufunc(ufunc, method, inputs, keywords)

    def __array_function__(self, function, types, arguments, keywords):
        return self._tape.function(function, arguments, keywords)

    def _seen(self, array) -> Recorded:
        """The same numbers in another form: a view, or a copy of them."""
        if np.may_share_memory(array, self._array) or not array.size:
            return Recorded(array, self._memory, self._tape, self._counted)
        return self._tape.new(array, self._memory.labels, self._memory.node, self._counted)

    def __getitem__(self, index):
        chosen = collect(index)
        result = np.asarray(self._array[bare(index)]) if not self._array.ndim else self._array[bare(index)]
        if isinstance(result, np.ndarray) and not chosen and np.may_share_memory(result, self._array):
            return Recorded(result, self._memory, self._tape, self._counted)
        met = [self, *chosen]
        by = frozenset().union(*(r._memory.labels for r in chosen))
        labels = self._memory.labels | (by & DECIDED)
        parents = tuple(r._memory.node for r in met if r._memory.node is not None)
        node = self._tape.note(K.LOOK_UP, np.size(result), met) if by - DECIDED else Node(None, parents)
        labels = labels | (by - DECIDED)
        labels = looked_up(self, chosen) or labels - DECIDED or labels
        counted = bool(by) and np.ndim(result) > 0 and _counts(index, chosen)
        if isinstance(result, np.ndarray) and result.size and np.may_share_memory(result, self._array):
            self._tape.control.append(node)
            return Recorded(result, self._memory, self._tape, counted)
        return self._tape.new(result, labels, node, counted or (self._counted and np.ndim(result) > 0))

    def __setitem__(self, index, value):
        met = [*collect(value), *collect(index)]
        self._array[bare(index)] = bare(value)
        labels = frozenset().union(*(r._memory.labels for r in met))
        labels = labels - DECIDED or labels
        node = self._tape.noted(K.COPY, np.size(bare(value)), met, labels, "")
        if any(r._memory.labels - DECIDED for r in collect(index)):
            node = Node(self._tape.note(K.LOOK_UP, 1, met).operation, (node,))
        whole = index is Ellipsis or (isinstance(index, slice) and not collect(index) and index == slice(None))
        self._tape.write(self, met, node, labels, partly=not whole)

    def __iter__(self):
        if self._counted:
            self._tape.decide(self)
        return (self[i] for i in range(len(self._array)))

    def __len__(self):
        if self._counted:
            self._tape.escape(self, "len of a chosen part")
        return len(self._array)

    def length(self):
        """How many rows; a count where comparisons have chosen them."""
        if not self._counted:
            return len(self._array)
        return self._tape.new(len(self._array), {COUNT}, self._memory.node)

    def __bool__(self):
        self._tape.decide(self)
        return bool(self._array)

    def __index__(self):
        if self._memory.labels - DECIDED:
            self._tape.escape(self, "an index")
        else:
            self._tape.decide(self)
        return self._array.__index__()

    def __float__(self):
        self._tape.escape(self, "float()")
        return float(self._array)

    def __int__(self):
        self._tape.escape(self, "int()")
        return int(self._array)

    def __complex__(self):
        self._tape.escape(self, "complex()")
        return complex(self._array)

    def __array__(self, dtype=None, copy=None):
        self._tape.escape(self, "handed over as a plain array")
        return self._array.astype(dtype or self._array.dtype)

    def __round__(self, digits=0):
        return self._tape.function(np.round, (self, digits), {})

    def __repr__(self):
        return f"<recording array {self.shape}>"

    def astype(self, dtype, **_):
        dtype = np.dtype(bare(dtype))
        labels = self._memory.labels
        rounds = dtype.kind in "iu" and self._array.dtype.kind == "f"
        kind = K.ROUND if rounds else K.COMPARE if dtype.kind == "b" else K.COPY
        with np.errstate(all="ignore"):
            result = self._array.astype(dtype)
        node = self._tape.noted(kind, self.size, [self], labels, "astype")
        return self._tape.new(result, {CHOICE} if kind == K.COMPARE and labels else labels, node, self._counted)

    def copy(self, *_):
        node = self._tape.noted(K.COPY, self.size, [self], self._memory.labels, "copy")
        return self._tape.new(self._array.copy(), self._memory.labels, node, self._counted)

    def fill(self, value):
        self[...] = value

    def view(self, dtype=None):
        return self if dtype is None else Recorded(self._array.view(bare(dtype)), self._memory, self._tape, self._counted)

    def reshape(self, *shape, **order):
        return self._seen(self._array.reshape(*bare(shape), **order))

    def transpose(self, *axes):
        return self._seen(self._array.transpose(*axes))

    def flatten(self):
        return self.ravel().copy()

    def item(self, *index):
        return self._seen(np.asarray(self._array.item(*index)))

    def tolist(self):
        return [r.tolist() if r.ndim else r for r in self] if self.ndim else self

    def sort(self, axis=-1):
        self[...] = np.sort(self, axis)

    def __getattr__(self, name):
        """Methods of arrays that are functions of NumPy too: ``x.sum()`` is ``np.sum(x)``."""
        function = getattr(np, name, None)
        if name.startswith("_") or not hasattr(np.ndarray, name) or function is None:
            raise AttributeError(f"a recording array has no {name}")
        return lambda *arguments, **keywords: self._tape.function(function, (self, *arguments), keywords)


def looked_up(table, chosen) -> frozenset[str]:
    """The label of constants that comparisons found by their numbers: any function of an activity could stand there."""
    plain = isinstance(table, Recorded) and not table._memory.labels and table._array.dtype.kind == "f"
    numbers = [r for r in chosen if r._memory.labels and r._array.dtype.kind in "iu"]
    return frozenset({TABLE}) if plain and numbers else NOTHING


def _counts(index, chosen) -> bool:
    """Whether an index gives as many as comparisons chose."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(p, slice) and collect(p) for p in parts) or any(
        r._counted or (r._array.dtype == bool and r._memory.labels) for r in chosen
    )


def collect(thing) -> list[Recorded]:
    """Every recording array inside tuples, lists, dictionaries and slices."""
    if isinstance(thing, Recorded):
        return [thing]
    if isinstance(thing, dict):
        thing = tuple(thing.values())
    elif isinstance(thing, slice):
        thing = (thing.start, thing.stop, thing.step)
    return [r for x in thing for r in collect(x)] if isinstance(thing, tuple | list) else []


def bare(thing):
    """The same with plain arrays, for NumPy's eyes."""
    if isinstance(thing, Recorded):
        return thing._array
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


def _whole(x):
    return int(x._array) if isinstance(x, Recorded) else x


def labels_of(thing) -> frozenset[str]:
    """Where the numbers of an operand come from."""
    return frozenset().union(*(r._memory.labels for r in collect(thing)))
