"""What stands for NumPy, ``math``, ``float``, ``int`` and ``len`` in a recording world."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from neurosim.audit.operations.recording import Recorded, bare, collect
from neurosim.audit.operations.tape import Tape, by_math


def length(thing: Any) -> Any:
    """Stands for ``len``: a count where comparisons have chosen the rows."""
    return thing.length() if isinstance(thing, Recorded) else len(thing)


class _Number(type):
    """Stands for Python's ``float`` or ``int`` where they make numbers, name types and are asked about."""

    plain: type
    dtype: np.dtype[Any]

    def __call__(cls, *given: Any) -> Any:
        if given and isinstance(given[0], Recorded) and given[0].memory.labels:
            return given[0].astype(cls.dtype)
        return cls.plain(*bare(given))

    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, cls.plain)

    def __getattr__(cls, name: str) -> Any:
        return getattr(type.__getattribute__(cls, "plain"), name)


class Float(metaclass=_Number):
    """Stands for ``float``."""

    plain, dtype = float, np.dtype(float)


class Int(metaclass=_Number):
    """Stands for ``int``."""

    plain, dtype = int, np.dtype(np.int64)


class Math:
    """Python's ``math``, whose functions keep recording numbers in the recording.

    Args:
        tape: what writes down.
    """

    def __init__(self, tape: Tape):
        self._tape = tape

    def __getattr__(self, name: str) -> Any:
        thing = getattr(math, name)
        if not callable(thing):
            return thing
        return lambda *arguments: by_math(self._tape, name, arguments) if collect(arguments) else thing(*arguments)


class Numpy:
    """NumPy, or a part of it, whose new arrays are recording arrays without labels.

    Args:
        thing: the part.
        tape: what writes down.
    """

    def __init__(self, thing: types.ModuleType, tape: Tape):
        self._thing, self._tape = thing, tape

    def __getattr__(self, name: str) -> Any:
        if name == "ndarray":
            return self._new_array
        value = getattr(self._thing, name)
        if isinstance(value, types.ModuleType):
            return Numpy(value, self._tape)
        return value if isinstance(value, type | np.ufunc) or not callable(value) else self.wrap(value)

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of NumPy that is recorded, and whose new arrays are recording."""

        def call(*arguments: Any, **keywords: Any) -> Any:
            if collect(arguments) or collect(keywords):
                return self._tape.function(function, arguments, keywords)
            result = function(*bare(arguments), **bare(keywords))
            return self._tape.new(result) if isinstance(result, np.ndarray) else result

        return function if isinstance(function, np.ufunc) else call

    def _new_array(
        self,
        shape: Any,
        dtype: Any = float,
        buffer: Any = None,
        offset: int = 0,
        strides: tuple[int, ...] | None = None,
        order: Any = None,
    ) -> Recorded:
        """Stands for ``np.ndarray(...)``."""
        array: Any = np.ndarray(bare(shape), bare(dtype), bare(buffer), offset, strides, order)
        if isinstance(buffer, Recorded):
            return Recorded(array, buffer.memory, self._tape, buffer.counted)
        return self._tape.new(array)
