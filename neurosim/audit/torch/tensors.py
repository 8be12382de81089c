"""Every tensor that a model and its loss can reach: parameters, buffers, plain attributes, lists, closures, globals, NumPy."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

Tensor = Any  # of PyTorch, which is not imported here
DEEPEST = 12
PLAIN = (bool, int, float, str)
OTHERS = sys.stdlib_module_names | {"torch", "numpy", "scipy", "neurosim"}  # whose objects are not looked into


class Reach:
    """Walks from a model and a loss to all that they hold.

    Args:
        torch: the module of that name.
        model: a ``torch.nn.Module``.
        loss: a function.
        inputs: what the model is called with: no weights.

    Attributes:
        weights: name -> tensor of real numbers, one a memory.
        spaces: the dictionaries in which plain numbers and tensors lie by name.
        optimisers: whatever keeps a state for groups of parameters.
    """

    def __init__(self, torch: Any, model: Any, loss: Callable[[Any], Any], inputs: tuple[Any, ...]):
        self.torch = torch
        self.weights: dict[str, Tensor] = {}
        self.spaces: list[dict[str, Any]] = []
        self.optimisers: list[Any] = []
        self._given = {place for each in inputs for place in _places(torch, each)}
        self._memory: dict[tuple[Any, ...], str] = {}
        self._seen: dict[int, Any] = {}
        for name, array in [*model.named_parameters(), *model.named_buffers()]:
            self._add(name, array)
        self._walk("", model, 0)
        self._walk("loss", loss, 0)

    def _add(self, name: str, array: Tensor) -> None:
        if array.layout is not self.torch.strided or not array.is_floating_point() or array.numel() < 2:
            return
        place = (array.untyped_storage().data_ptr(), array.storage_offset(), array.numel())
        if place[0] in self._given or not place[0]:
            return
        if place not in self._memory:
            while name in self.weights:
                name += "'"
            self._memory[place], self.weights[name] = name, array

    def _walk(self, name: str, thing: Any, depth: int) -> None:
        if (
            depth > DEEPEST
            or id(thing) in self._seen
            or thing is None
            or isinstance(thing, (*PLAIN, bytes, ModuleType))
        ):
            return
        self._seen[id(thing)] = thing  # held, so that no other gets its number
        if isinstance(thing, self.torch.Tensor):
            self._add(name or "a tensor", thing)
            if thing.is_leaf is False or not thing.__dict__:
                return
        elif isinstance(thing, np.ndarray):
            if thing.dtype.kind == "f" and thing.flags.writeable and thing.size > 1:
                self._add(name, self.torch.from_numpy(thing))
            return
        for word, inner in self._inside(name, thing):
            self._walk(word, inner, depth + 1)

    def _inside(self, name: str, thing: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(thing, dict):
            yield from ((f"{name}[{key!r}]", value) for key, value in list(thing.items()))
        elif isinstance(thing, list | tuple | set | frozenset):
            yield from ((f"{name}[{n}]", value) for n, value in enumerate(thing))
        elif isinstance(thing, functools.partial):
            yield from ((f"{name}.{n}", value) for n, value in enumerate((thing.func, thing.args, thing.keywords)))
        elif isinstance(thing, MethodType):
            yield from ((name, thing.__self__), (name, thing.__func__))
        elif isinstance(thing, FunctionType):
            yield from _of_function(name, thing)
        elif isinstance(thing, BuiltinFunctionType) or _is_others(thing):
            return
        elif isinstance(thing, type):
            yield from (
                (f"{thing.__name__}.{word}", value) for word, value in list(vars(thing).items()) if word[:2] != "__"
            )
        else:
            yield from self._of_object(name, thing)

    def _of_object(self, name: str, thing: Any) -> Iterator[tuple[str, Any]]:
        if hasattr(thing, "param_groups") and hasattr(thing, "load_state_dict"):
            self.optimisers.append(thing)
            return
        inside = getattr(thing, "__dict__", None)
        if isinstance(inside, dict):
            self.spaces.append(inside)
            yield from ((f"{name}.{word}".lstrip("."), value) for word, value in list(inside.items()))
        for word in getattr(type(thing), "__slots__", ()):
            yield f"{name}.{word}", getattr(thing, word, None)
        yield type(thing).__name__, type(thing)


def _of_function(name: str, function: FunctionType) -> Iterator[tuple[str, Any]]:
    for word, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield f"{name}.{word}".lstrip("."), cell.cell_contents
        except ValueError:  # it is empty
            continue
    yield from ((f"{name} default {n}", value) for n, value in enumerate(function.__defaults__ or ()))
    yield from (function.__kwdefaults__ or {}).items()
    for word in _names(function.__code__):
        value = function.__globals__.get(word)
        if value is not None and not isinstance(value, ModuleType):
            yield word, value


def _names(code: Any) -> set[str]:
    inner = (_names(constant) for constant in code.co_consts if hasattr(constant, "co_names"))
    return set(code.co_names).union(*inner)


def _is_others(thing: Any) -> bool:
    """Whether it is a class or an object of a package whose objects hold no weights; modules of PyTorch are looked into."""
    kind = thing if isinstance(thing, type) else type(thing)
    root = (kind.__module__ or "").split(".")[0]
    if root != "torch":
        return root in OTHERS
    return isinstance(thing, type) or not (hasattr(thing, "named_parameters") or hasattr(thing, "param_groups"))


def _places(torch: Any, thing: Any) -> Iterator[int]:
    if isinstance(thing, torch.Tensor):
        yield thing.untyped_storage().data_ptr()
    elif isinstance(thing, list | tuple):
        for each in thing:
            yield from _places(torch, each)
    elif isinstance(thing, dict):
        yield from _places(torch, list(thing.values()))
