"""A kernel put into a recording world: the same code, with NumPy, scratch memory and Python's own numbers replaced.

Arrays that a kernel makes for itself (``np.zeros``, scratch) and numbers that it takes out (``float(x)``, ``len(x)``)
would be plain, and what is done to them unrecorded. So the functions of a kernel are copied with other globals, in which
these stay recording. Code that cannot be copied (compiled code, other packages) gets recording arrays as they are,
and every number that it takes out is written down as an escape.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import math
import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.audit.operations.recording import Recorded, bare
from neurosim.audit.operations.substitutes import Float, Int, Math, Numpy, length
from neurosim.core import workspace

if TYPE_CHECKING:
    from neurosim.audit.operations.tape import Tape

_OTHERS = sys.stdlib_module_names | {"numpy", "scipy", "torch", "pytest", "_pytest", "pluggy"}


def _made(make: Callable[..., Any], *key: Any) -> Any:
    """What scratch memory caches is made anew here, or one recording would work on another's arrays."""
    return make(*key)


class World:
    """Copies functions into a world where one tape records everything.

    Args:
        tape: what writes down.
    """

    def __init__(self, tape: Tape):
        self.tape = tape
        self._copies: dict[int, types.FunctionType] = {}
        self._globals: dict[int, dict[str, Any]] = {}
        self._originals: list[types.FunctionType] = []  # so that no id is given twice
        self.numpy, self.math = Numpy(np, tape), Math(tape)
        substitutes = {"float": Float, "int": Int, "len": length, "__import__": self._import}
        self._builtins = {**vars(builtins), **substitutes}

    def copy(self, function: Any) -> Any:
        """The same function in this world; what is no Python function stays as it is."""
        if isinstance(function, types.MethodType):
            return types.MethodType(self.copy(function.__func__), function.__self__)
        if isinstance(function, functools.partial):
            return functools.partial(self.copy(function.func), *function.args, **function.keywords)
        if not isinstance(function, types.FunctionType):
            return function
        if id(function) not in self._copies:
            self._copy_function(function)
        return self._copies[id(function)]

    def _copy_function(self, function: types.FunctionType) -> None:
        own = function.__globals__
        if id(own) not in self._globals:
            self._globals[id(own)] = {**own, "__builtins__": self._builtins}
        world = self._globals[id(own)]
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        twin = types.FunctionType(function.__code__, world, function.__name__, function.__defaults__, cells or None)
        twin.__kwdefaults__ = function.__kwdefaults__
        self._copies[id(function)] = twin
        self._originals.append(function)
        for name in _names(function.__code__):
            if name in own:
                world[name] = self._instead(own[name])
        for cell, given in zip(cells, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # an empty cell stays one
                cell.cell_contents = self._instead(given.cell_contents)

    def _instead(self, thing: Any) -> Any:
        """What stands for a global thing in this world."""
        if thing is workspace.thread_local:
            return self._thread_local
        if thing is workspace.cached:
            return _made
        if thing is workspace:
            return types.SimpleNamespace(thread_local=self._thread_local, cached=_made)
        if isinstance(thing, types.ModuleType):
            return self._package(thing)
        if isinstance(thing, np.ndarray):
            return self.tape.new(thing)
        root = (getattr(thing, "__module__", None) or "").split(".")[0]
        if root == "math" and isinstance(thing, types.BuiltinFunctionType):
            return getattr(self.math, thing.__name__)
        if root == "numpy" and not isinstance(thing, type) and callable(thing):
            return self.numpy.wrap(thing)
        if isinstance(thing, types.FunctionType) and root not in _OTHERS:
            return self.copy(thing)
        return thing

    def _package(self, thing: types.ModuleType) -> Any:
        if thing is math:
            return self.math
        if thing.__name__.split(".")[0] == "numpy":
            return Numpy(thing, self.tape)
        if thing.__name__.split(".")[0] == "neurosim":  # kernels that call functions of another file
            return _Lazy(self, thing)
        return thing

    def _import(self, name: str, *rest: Any) -> Any:
        return self._instead(builtins.__import__(name, *rest))

    def _thread_local(self, name: str, shape: Any, dtype: Any) -> Recorded:
        dtype = np.dtype(bare(dtype))
        return self.tape.new(np.full(bare(tuple(shape)), np.nan if dtype.kind == "f" else 0, dtype))


def _names(code: types.CodeType) -> set[str]:
    """Every global name that a function or one inside it may use."""
    inner = (_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*inner)


class _Lazy:
    """A file of kernels whose functions are copied when they are asked for."""

    def __init__(self, world: World, thing: types.ModuleType):
        self._world, self._thing = world, thing

    def __getattr__(self, name: str) -> Any:
        return self._world._instead(getattr(self._thing, name))
