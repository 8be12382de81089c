"""The package's code as it is in memory, name by name, and in its files: nothing may have been put in its place."""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from neurosim.core.kernel import Kernel

LEFT_OUT = ("neurosim.cli", "neurosim.bench")
BESIDE = ("builtins", "math")  # what kernels call of Python's own
SHELL = "builtins._"  # what a shell, or a test of examples, showed last
DEEPEST = 6
UNTOLD = ("__dict__", "__weakref__", "__doc__", "__module__", "_abc_impl", "__abstractmethods__")
PLAIN = (str, bytes, int, float, complex, bool, type(None), Enum)


def places() -> list[str]:
    """Names of the package's modules that are imported here."""
    return sorted(
        name
        for name, home in list(sys.modules.items())
        if (name == "neurosim" or name.startswith("neurosim.")) and home is not None and not name.startswith(LEFT_OUT)
    )


def digests(names: Iterable[str]) -> dict[str, str]:
    """Qualified name -> digest of every function, class, kernel and constant of modules, as they are in memory.

    NumPy's are among them, where they are imported here.

    Args:
        names: of modules; those that are not there yet are imported.
    """
    found: dict[str, str] = {}
    known: dict[int, tuple[object, str]] = {}  # many names stand for one thing: it is written once, and kept until then
    numpy = [name for name, home in sorted(sys.modules.items()) if name.split(".")[0] == "numpy" and home]
    for name in (*names, *BESIDE, *numpy):
        for word, thing in _of_module(importlib.import_module(name)):
            if id(thing) not in known:
                known[id(thing)] = (thing, _sha(thing))
            found[f"{name}.{word}"] = known[id(thing)][1]
    return found


def differences(bare: dict[str, str], loaded: dict[str, str]) -> list[str]:
    """Names whose code is not what a process has that imported nothing else, in order.

    Args:
        bare: of that process.
        loaded: of a process with somebody else's code.
    """
    changed = [name for name, text in bare.items() if loaded.get(name) != text and name != SHELL]
    places = {place for name in bare if (place := name.rpartition(".")[0]).startswith("neurosim")}
    return sorted([*changed, *(name for name in loaded if name not in bare and name.rpartition(".")[0] in places)])


def source_digest(thing: object) -> str:
    """SHA-256 of the file that a class or a function stands in; empty where there is none."""
    try:
        return hashlib.sha256(Path(inspect.getfile(inspect.unwrap(thing))).read_bytes()).hexdigest()  # type: ignore[arg-type]
    except (TypeError, OSError):
        return ""


# -- one thing


def _of_module(home: ModuleType) -> Iterator[tuple[str, object]]:
    """Names of a module, and of its classes, with what they stand for."""
    for word, thing in sorted(vars(home).items()):
        if (
            word.startswith("__")
            and word.endswith("__")
            and word not in ("__getattr__", "__build_class__", "__import__")
        ):
            continue
        if inspect.isclass(thing) and thing.__module__ == home.__name__:
            for name, inner in sorted(vars(thing).items()):
                if name not in UNTOLD and not isinstance(inner, dict | list | set):
                    yield f"{word}.{name}", inner
        elif not isinstance(thing, dict | list | set) and not _below(thing, home):  # those fill while they are used
            yield word, thing


def _below(thing: object, home: ModuleType) -> bool:
    """Whether a name is that of a file or folder below, which appears when that is imported."""
    return isinstance(thing, ModuleType) and thing.__name__.startswith(f"{home.__name__}.")


def _sha(thing: object) -> str:
    texts: list[str] = []
    _write(texts, thing, 0, ())
    return hashlib.sha256("".join(f"{text}\0" for text in texts).encode()).hexdigest()[:16]


def _write(texts: list[str], thing: Any, depth: int, above: tuple[int, ...]) -> None:
    """A thing as texts without addresses: the same in every process that has the same code.

    One list that is added to, and no generators: thousands of things are written, in every audit and in fresh processes.
    """
    if depth > DEEPEST or id(thing) in above:
        texts.append(f"a {type(thing).__qualname__}")
        return
    deeper, within = depth + 1, (*above, id(thing))
    if isinstance(thing, CodeType):
        texts += (thing.co_code.hex(), repr(thing.co_names), repr(thing.co_varnames), repr(thing.co_freevars))
        texts.append(f"{thing.co_argcount} {thing.co_kwonlyargcount} {thing.co_flags}")
        for constant in thing.co_consts:
            _write(texts, constant, deeper, within)
    elif isinstance(thing, FunctionType):
        cells = [_content(cell) for cell in thing.__closure__ or ()]
        wrapped = thing.__dict__.get("__wrapped__")  # other attributes of functions are caches
        for part in (thing.__code__, thing.__defaults__, thing.__kwdefaults__, cells, wrapped):
            _write(texts, part, deeper, within)
    elif isinstance(thing, Kernel):
        texts += (thing.name, str(thing.kind), thing.equation, repr(thing.over), repr(thing.scalars))
        texts += (f"{name} {argument}" for name, argument in thing.arguments.items())
        for where in ("reference", "cpu", "compiled"):
            _write(texts, thing.form(where) if thing.has(where) else None, deeper, within)
        _write(texts, thing._flops, deeper, within)
    else:
        _write_plain(texts, thing, deeper, within)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None


def _write_plain(texts: list[str], thing: Any, depth: int, above: tuple[int, ...]) -> None:
    if isinstance(thing, PLAIN):
        texts.append(f"{type(thing).__name__} {thing!r}")
    elif isinstance(thing, list | tuple):
        for each in thing:
            _write(texts, each, depth, above)
        texts.append(f"{len(thing)} in a {type(thing).__name__}")
    elif isinstance(thing, dict):
        for key, value in thing.items():
            texts.append(repr(key) if isinstance(key, PLAIN) else type(key).__qualname__)
            _write(texts, value, depth, above)
    elif isinstance(thing, set | frozenset):
        texts.append(repr(sorted(map(repr, thing))))
    elif type(thing) is np.ndarray:
        texts.append(f"{thing.dtype.str} {thing.shape} {hashlib.sha256(thing.tobytes()).hexdigest()}")
    elif isinstance(thing, staticmethod | classmethod):
        texts.append(type(thing).__name__)
        _write(texts, thing.__func__, depth, above)
    elif isinstance(thing, property):
        for part in (thing.fget, thing.fset, thing.fdel):
            _write(texts, part, depth, above)
    elif isinstance(thing, functools.partial):
        _write(texts, [thing.func, thing.args, thing.keywords], depth, above)
    elif isinstance(thing, ModuleType):
        texts.append(f"module {thing.__name__}")
    else:
        wrapped = getattr(thing, "__wrapped__", None) or getattr(thing, "func", None)
        # NumPy gives some of its functions other modules and longer names while it is imported further.
        name = getattr(thing, "__name__", "")
        texts.append(f"{type(thing).__module__}.{type(thing).__qualname__} {name}")
        if isinstance(wrapped, FunctionType):
            _write(texts, wrapped, depth, above)
