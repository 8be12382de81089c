"""A kernel put into a recording world: the same code, with NumPy, `take` and Python's own numbers replaced.

Arrays that a kernel makes for itself (``np.zeros``, scratch) and numbers that it takes out (``float(x)``, ``len(x)``)
would be plain, and what is done to them unseen. So the functions of a kernel are copied with other globals, in which
these stay recording. Code that cannot be copied (compiled code, other packages) meets recording arrays as they are,
and every number that it takes out is written down as an escape.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import math
import sys
import types

import numpy as np

from neurosim.audit.operations.recording import Recorded, bare, collect
from neurosim.audit.operations.tape import Tape, by_math
from neurosim.kernels import workspace

_FOREIGN = sys.stdlib_module_names | {"numpy", "scipy", "torch", "pytest", "_pytest", "pluggy"}


def _made(make, *key):
    """What scratch keeps is made anew here, or one recording would meet another's arrays."""
    return make(*key)


class World:
    """Copies functions into a world where one tape sees everything.

    Args:
        tape: what writes down.
    """

    def __init__(self, tape: Tape):
        self.tape = tape
        self._copies: dict[int, types.FunctionType] = {}
        self._globals: dict[int, dict] = {}
        self._keep: list = []  # so that no id is given twice
        self.numpy, self.math = _Numpy(np, tape), _Math(tape)
        self._builtins = {
            **vars(builtins), "float": _Float, "int": _Int, "len": self._len, "__import__": self._import,
        }  # fmt: skip

    def copy(self, function):
        """The same function in this world; what is no Python function stays as it is."""
        if isinstance(function, types.MethodType):
            return types.MethodType(self.copy(function.__func__), function.__self__)
        if isinstance(function, functools.partial):
            return functools.partial(self.copy(function.func), *function.args, **function.keywords)
        if not isinstance(function, types.FunctionType):
            return function
        if id(function) in self._copies:
            return self._copies[id(function)]
        own = function.__globals__
        if id(own) not in self._globals:
            self._globals[id(own)] = {**own, "__builtins__": self._builtins}
        world = self._globals[id(own)]
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        twin = types.FunctionType(function.__code__, world, function.__name__, function.__defaults__, cells or None)
        twin.__kwdefaults__ = function.__kwdefaults__
        self._copies[id(function)] = twin
        self._keep.append(function)
        for name in _names(function.__code__):
            if name in own:
                world[name] = self._instead(own[name])
        for cell, given in zip(cells, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # an empty cell stays one
                cell.cell_contents = self._instead(given.cell_contents)
        return twin

    def _instead(self, thing):
        if thing is workspace.thread_local:
            return self._take
        if thing is workspace.cached:
            return _made
        if thing is workspace:
            return types.SimpleNamespace(thread_local=self._take, cached=_made)
        if isinstance(thing, types.ModuleType):
            return self._module(thing)
        if isinstance(thing, np.ndarray):
            return self.tape.new(thing)
        root = (getattr(thing, "__module__", None) or "").split(".")[0]
        if root == "math" and isinstance(thing, types.BuiltinFunctionType):
            return getattr(self.math, thing.__name__)
        if root == "numpy" and not isinstance(thing, type) and callable(thing):
            return self.numpy.wrap(thing)
        if isinstance(thing, types.FunctionType) and root not in _FOREIGN:
            return self.copy(thing)
        return thing

    def _module(self, thing):
        if thing is math:
            return self.math
        if thing.__name__.split(".")[0] == "numpy":
            return _Numpy(thing, self.tape)
        if thing.__name__.split(".")[:2] == ["neurosim", "kernels"]:  # kernels that call kernels of another file
            return _Lazy(self, thing)
        return thing

    def _import(self, name, *rest):
        found = builtins.__import__(name, *rest)
        return self._instead(found)

    def _take(self, name, shape, dtype) -> Recorded:
        dtype = np.dtype(bare(dtype))
        return self.tape.new(np.full(bare(tuple(shape)), np.nan if dtype.kind == "f" else 0, dtype))

    @staticmethod
    def _len(thing):
        return thing.length() if isinstance(thing, Recorded) else len(thing)


def _names(code: types.CodeType) -> set[str]:
    """Every global name that a function or one inside it may use."""
    inner = (_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*inner)


class _Number(type):
    """Stands for Python's ``float`` or ``int`` where they make numbers, name types and are asked about."""

    def __call__(cls, *given):
        if given and isinstance(given[0], Recorded) and given[0]._memory.labels:
            return given[0].astype(cls.dtype)
        return cls.plain(*bare(given))

    def __instancecheck__(cls, thing):
        return isinstance(thing, cls.plain)

    def __getattr__(cls, name):
        return getattr(type.__getattribute__(cls, "plain"), name)


class _Float(metaclass=_Number):
    plain, dtype = float, np.dtype(float)


class _Int(metaclass=_Number):
    plain, dtype = int, np.dtype(np.int64)


class _Lazy:
    """A file of kernels whose functions are copied when they are asked for."""

    def __init__(self, world: World, thing):
        self._world, self._thing = world, thing

    def __getattr__(self, name):
        return self._world._instead(getattr(self._thing, name))


class _Math:
    """Python's ``math``, whose functions keep recording numbers in the recording."""

    def __init__(self, tape: Tape):
        self._tape = tape

    def __getattr__(self, name):
        thing = getattr(math, name)
        if not callable(thing):
            return thing
        return lambda *arguments: by_math(self._tape, name, arguments) if collect(arguments) else thing(*arguments)


class _Numpy:
    """NumPy, or a part of it, whose new arrays are recording arrays without labels."""

    def __init__(self, thing, tape: Tape):
        self._thing, self._tape = thing, tape

    def __getattr__(self, name):
        if name == "ndarray":
            return self._array
        value = getattr(self._thing, name)
        if isinstance(value, types.ModuleType):
            return _Numpy(value, self._tape)
        return value if isinstance(value, type | np.ufunc) or not callable(value) else self.wrap(value)

    def wrap(self, function):
        def call(*arguments, **keywords):
            if collect(arguments) or collect(keywords):
                return self._tape.function(function, arguments, keywords)
            result = function(*bare(arguments), **bare(keywords))
            return self._tape.new(result) if isinstance(result, np.ndarray) else result

        return function if isinstance(function, np.ufunc) else call

    def _array(self, shape, dtype=float, buffer=None, offset=0, strides=None, order=None):
        array = np.ndarray(bare(shape), bare(dtype), bare(buffer), offset, strides, order)
        if isinstance(buffer, Recorded):
            return Recorded(array, buffer._memory, self._tape, buffer._counted)
        return self._tape.new(array)
