"""What lies in memory of this package and of NumPy, before somebody else's code is there: put back afterwards, and named."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import json
import math
import operator
import pkgutil
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

import neurosim
from neurosim.audit.evidence import Evidence
from neurosim.core.kernel import Kernel

BESIDE = (builtins, json, math, operator, np, np.linalg, np.random)
# Rooms of which no audit needs more than it has imported.
LEFT_OUT = tuple(
    f"neurosim.{room}"
    for room in ("cli", "bench", "report", "reproduce", "data", "readout", "diagnostics", "experiment", "audit.torch")
)
OF_FUNCTIONS = ("__code__", "__defaults__", "__kwdefaults__")
MISSING = object()
SHOWN = 4  # names in one line


class Integrity:
    """Remembers the code that is in memory now.

    Attributes:
        replaced: names of what was put back, in the order in which it was found.
    """

    def __init__(self) -> None:
        self.replaced: list[str] = []
        _import_all()
        self._held = [each for place in _places() for each in _of_place(place)]

    def restore(self) -> None:
        """Put back whatever is no longer what it was; its names are kept."""
        for owner, attribute, thing, name in self._held:
            if _now(owner, attribute) is thing:
                continue
            self.replaced.append(name)
            if isinstance(owner, dict):
                owner[attribute] = thing
            else:
                setattr(owner, attribute, thing)

    def evidence(self) -> Evidence:
        """The answer to whether anything was replaced."""
        self.restore()
        found, names = Evidence("isolation"), list(dict.fromkeys(self.replaced))
        if names:
            more = f" and {len(names) - SHOWN} more" * (len(names) > SHOWN)
            text = f"the code in memory was replaced: {', '.join(names[:SHOWN])}{more}"
            found.add_finding("declared", text, why="only who remembers what was there before can see it")
        else:
            text = (
                f"{len(self._held)} functions and classes of neurosim, NumPy and Python are what they were at the start"
            )
            found.add_check("declared", text)
        return found


def _import_all() -> None:
    """Import every file of the package that may take part, before anybody else's."""
    for entry in pkgutil.walk_packages(neurosim.__path__, "neurosim."):
        if not entry.name.startswith(LEFT_OUT) and not entry.name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # for other devices
                importlib.import_module(entry.name)


def _places() -> list[ModuleType]:
    own = [place for name, place in sorted(sys.modules.items()) if name.split(".")[0] == "neurosim" and place]
    return [*own, *BESIDE]


Held = tuple[Any, str, Any, str]  # the owner, its attribute, what it is, how it is called


def _of_place(place: ModuleType) -> Iterator[Held]:
    for word, thing in list(vars(place).items()):
        name = f"{place.__name__}.{word}"
        if not callable(thing) and not isinstance(thing, ModuleType | Kernel):
            continue
        yield place, word, thing, name
        home = getattr(thing, "__module__", None)
        if home == place.__name__ and place.__name__.split(".")[0] == "neurosim":
            if isinstance(thing, type):
                yield from _of_class(thing, name)
            elif isinstance(thing, FunctionType):
                yield from _of_function(thing, name)
        if isinstance(thing, Kernel):
            for form, function in thing._forms.items():
                yield thing._forms, form, function, f"{name}.{form}"
                if isinstance(function, FunctionType):
                    yield from _of_function(function, f"{name}.{form}")


def _of_class(kind: type, name: str) -> Iterator[Held]:
    for word, thing in list(vars(kind).items()):
        if word in ("__dict__", "__weakref__", "__doc__", "__abstractmethods__", "_abc_impl"):
            continue
        if callable(thing) or isinstance(thing, property | staticmethod | classmethod):
            yield kind, word, thing, f"{name}.{word}"
            inner = getattr(thing, "fget", None) or getattr(thing, "__func__", None) or thing
            if isinstance(inner, FunctionType):
                yield from _of_function(inner, f"{name}.{word}")


def _of_function(function: FunctionType, name: str) -> Iterator[Held]:
    yield from ((function, word, getattr(function, word), name) for word in OF_FUNCTIONS)


def _now(owner: Any, attribute: str) -> Any:
    if isinstance(owner, dict):
        return owner.get(attribute, MISSING)
    return getattr(owner, attribute) if attribute in OF_FUNCTIONS else vars(owner).get(attribute, MISSING)
