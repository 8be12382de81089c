"""What the code of a kernel can reach: arrays, the process around it, numbers that it keeps.

A kernel of somebody else's that copies weights only in the five thousandth batch, or only where a batch is large, does nothing
of the kind while it is audited. But its code stands there. This file reads the compiled code of a kernel and of every function
of somebody else's that it calls, follows names through closures, globals, default arguments and attributes, and says where they
end. Nothing of it is run.
"""

from __future__ import annotations

import builtins
import dis
import functools
import inspect
import sys
import weakref
from collections.abc import Callable
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from neurosim.core.buffer import Buffer

MISSING: Any = object()
DEPTH, MANY = 12, 200  # calls that are followed into one another; parts of a list that are looked at
SIZES = frozenset(
    ["shape", "axes", "name", "role", "owner", "dtype", "lasts", "local", "given", "nbytes", "start"]
)  # of a buffer: not its numbers
QUIET = frozenset(
    {"CACHE", "PRECALL", "PUSH_NULL", "RESUME", "COPY_FREE_VARS", "COPY", "NOP", "EXTENDED_ARG", "TO_BOOL"}
)
# Modules that tell a kernel of what no array holds: the clock, the process, chance that nobody seeded.
PROCESS = frozenset(
    {
        *(
            "time",
            "datetime",
            "inspect",
            "gc",
            "ctypes",
            "threading",
            "random",
            "secrets",
            "uuid",
            "socket",
            "platform",
        ),
        *("signal", "subprocess", "multiprocessing", "tracemalloc", "resource", "getpass", "tempfile", "pathlib"),
        *("traceback", "importlib", "contextvars", "atexit", "asyncio", "posix", "os", "sys"),
    }
)
HARMLESS = {
    "os": frozenset({"path", "sep", "linesep", "fspath"}),
    "sys": frozenset(["float_info", "maxsize", "byteorder", "version_info", "intern", "getsizeof", "stdout", "stderr"]),
    "random": frozenset({"Random"}),
    "threading": frozenset({"Lock", "RLock"}),
}
CHANCE = "numpy.random"
SEEDED = frozenset(
    [
        "default_rng",
        "Generator",
        "SeedSequence",
        "PCG64",
        "PCG64DXSM",
        "Philox",
        "SFC64",
        "MT19937",
        "BitGenerator",
        "RandomState",
    ]
)
BUILTINS = frozenset(
    ["open", "input", "eval", "exec", "globals", "locals", "vars", "compile", "breakpoint", "__import__"]
)
Thunk = Callable[[], Any]


class Reach:
    """Where the names in the code of a function end.

    Args:
        function: a form of a kernel.

    Attributes:
        buffers: name of a buffer -> how the code gets at it.
        arrays: plain arrays, and how the code gets at them.
        asks: what the code asks of the process.
        kept: how the code gets at a number or a container -> what gives it as it is now.
    """

    def __init__(self, function: Any):
        self.buffers: dict[str, str] = {}
        self.arrays: list[tuple[Any, str]] = []
        self.asks: list[str] = []
        self.kept: dict[str, Thunk] = {}
        self._seen: set[tuple[int, int]] = set()
        self._alive: list[Any] = []  # what was seen stays alive, so that its address is its own
        self._end(lambda: function, getattr(function, "__name__", "kernel"), 0)

    # -- ends

    def _end(self, thunk: Thunk, path: str, depth: int) -> None:
        """A name ends here: say what it is, and go on in code of somebody else's."""
        value = thunk()
        if value is MISSING or depth > DEPTH:
            return
        if isinstance(value, Buffer):
            self.buffers.setdefault(value.base.name, path)
        elif isinstance(value, np.ndarray):
            self.arrays.append((value, path))
            self.kept[path] = thunk
        elif isinstance(value, weakref.ref):
            self._end(lambda: value() if value() is not None else MISSING, path, depth)
        elif isinstance(value, functools.partial):
            for part in (value.func, *value.args, *value.keywords.values()):
                self._end(lambda part=part: part, path, depth + 1)  # type: ignore[misc]
        elif isinstance(value, MethodType):
            inner: Any = value.__func__
            self._function(inner, path, depth, value.__self__)
        elif isinstance(value, FunctionType):
            self._function(value, path, depth)
        elif isinstance(value, type):
            self._class(value, path, depth)
        elif callable(value) and hasattr(value, "__wrapped__"):
            wrapped = value.__wrapped__
            self._end(lambda: wrapped, path, depth + 1)
        else:
            self._thing(value, thunk, path, depth)

    def _thing(self, value: Any, thunk: Thunk, path: str, depth: int) -> None:
        """What is no code: a module's function, a container, a part of a network, an object."""
        home = getattr(value, "__module__", None)
        if callable(value) and isinstance(home, str) and inspect.isbuiltin(value):
            self._ask(home, value.__name__)
        elif isinstance(value, list | tuple | set | frozenset | dict):
            self.kept[path] = thunk
            parts = list(value.values() if isinstance(value, dict) else value)[:MANY]
            for part in parts:
                if not isinstance(part, int | float | str | bytes | type(None)):
                    self._end(lambda part=part: part, f"{path}[...]", depth + 1)  # type: ignore[misc]
        elif is_own(type(value)):
            for name, held in list(vars(value).items()) if hasattr(value, "__dict__") else ():
                if isinstance(held, Buffer):
                    self.buffers.setdefault(held.base.name, f"{path}.{name}")
        elif not isinstance(value, ModuleType):
            self.kept[path] = thunk
            call = inspect.getattr_static(type(value), "__call__", None)
            if isinstance(call, FunctionType):
                self._function(call, path, depth, value)

    def _class(self, kind: type, path: str, depth: int) -> None:
        """A class of somebody else's: all that it may do."""
        if is_foreign(kind.__module__):
            for name, part in list(vars(kind).items()):
                if isinstance(part, FunctionType):
                    self._function(part, f"{path}.{name}", depth)

    def _function(self, function: FunctionType, path: str, depth: int, own: Any = MISSING) -> None:
        if not is_foreign(function.__module__) or (id(function), id(own)) in self._seen:
            return
        self._seen.add((id(function), id(own)))
        self._alive += [function, own]
        if wrapped := getattr(function, "__wrapped__", None):
            self._end(lambda: wrapped, path, depth + 1)
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        known: dict[str, tuple[Thunk, str]] = {}
        for number, name in enumerate(reversed(names[: len(names)])):
            defaults = function.__defaults__ or ()
            if number < len(defaults):
                known[name] = (lambda n=number: function.__defaults__[-1 - n], name)  # type: ignore[index, misc]
        for name in function.__kwdefaults__ or {}:
            known[name] = (lambda n=name: function.__kwdefaults__[n], name)  # type: ignore[index, misc]
        if own is not MISSING and names:
            known[names[0]] = (lambda: own, names[0])
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        self._code(function.__code__, function.__globals__, cells, known, path, depth + 1)

    # -- code

    def _code(
        self,
        code: CodeType,
        world: dict[str, Any],
        cells: dict[str, CellType],
        known: dict[str, tuple[Thunk, str]],
        path: str,
        depth: int,
    ) -> None:
        """Follow every name of some code, and of the functions that are made in it."""
        at: tuple[Thunk, str] | None = None
        for step in dis.get_instructions(code):
            if step.opname in QUIET:
                continue
            if step.opname in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM") and at is not None:
                at = self._attribute(at, str(step.argval), depth)
                continue
            if step.opname == "STORE_FAST" and at is not None:
                known[step.argval] = at  # a name of its own for it
            if at is not None and step.opname not in ("STORE_ATTR", "DELETE_ATTR"):
                self._end(*at, depth)
            at = _loaded(step.opname, step.argval, world, cells, known)
        for inner in code.co_consts:
            if isinstance(inner, CodeType):
                self._code(inner, world, cells, dict(known), path, depth)

    def _attribute(self, at: tuple[Thunk, str], name: str, depth: int) -> tuple[Thunk, str] | None:
        """The next name of a chain; None where it ends: nothing more is to be known, or it was said what it is."""
        thunk, path = at
        value = thunk()
        if isinstance(value, ModuleType):
            self._ask(value.__name__, name)
        elif isinstance(value, Buffer):
            if name not in SIZES:
                self._end(thunk, path, depth)
            return None
        held = inspect.getattr_static(value, name, MISSING)
        if isinstance(held, property) and not is_own(type(value)):
            if isinstance(held.fget, FunctionType):
                self._function(held.fget, f"{path}.{name}", depth, value)
            return None
        if held is MISSING and not isinstance(value, ModuleType):
            self._end(thunk, path, depth)
            return None
        if isinstance(value, np.ndarray | weakref.ref) or inspect.ismethoddescriptor(held):
            self._end(thunk, path, depth)  # what is asked of it is its own method
            return None
        return (lambda: _held(thunk(), name)), f"{path}.{name}"

    def _ask(self, home: str, name: str) -> None:
        """Something of a module is named."""
        top = home.split(".")[0]
        process = top in PROCESS and name not in HARMLESS.get(top, ())
        if process and not (top == "importlib" and name == "util"):
            self.asks.append(f"{home}.{name}")
        elif home.startswith(CHANCE) and name not in SEEDED:
            self.asks.append(f"{CHANCE}.{name}")
        elif home == "builtins" and name in BUILTINS:
            self.asks.append(name)


def _loaded(
    operation: str, name: Any, world: dict[str, Any], cells: dict[str, CellType], known: dict[str, tuple[Thunk, str]]
) -> tuple[Thunk, str] | None:
    """What an instruction puts on the stack, where that is known before it runs."""
    if operation == "IMPORT_NAME":
        return (lambda: sys.modules.get(name, MISSING)), str(name)
    if not operation.startswith("LOAD_") or not isinstance(name, str):
        return None
    if operation.startswith(("LOAD_GLOBAL", "LOAD_NAME")):
        if name in world:
            return (lambda: world.get(name, MISSING)), name
        return (lambda: getattr(builtins, name, MISSING)), name
    if name in cells and operation in ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"):
        return (lambda: _of_cell(cells[name])), name
    return known.get(name) if operation.startswith("LOAD_FAST") else None


def _of_cell(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty as yet
        return MISSING


def _held(value: Any, name: str) -> Any:
    try:
        return getattr(value, name, MISSING)
    except Exception:  # an attribute of somebody else's may do anything
        return MISSING


def is_own(kind: type) -> bool:
    """Whether a class is this package's, or derived from one of it: a rule, a part, a network."""
    return any(each.__module__.split(".")[0] == "neurosim" for each in kind.__mro__)


def is_foreign(home: str | None) -> bool:
    """Whether a module is neither this package's nor NumPy's nor of the standard library."""
    top = (home or "").split(".")[0]
    return top not in ("neurosim", "numpy") and (top == "__main__" or top not in sys.stdlib_module_names)
