"""Plug-ins: parts that are found by name. One file a part; adding a file to the package adds the part.

A part outside the package is given as a class, a factory or an object, named ``module:Class`` (``mylab.rules:MyRule``), or
by the entry point that its package declares in the registry's group.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import inspect
import pkgutil
import sys
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from neurosim.core.importing import imported
from neurosim.core.options import REQUIRED, Parameter, check, parameters, written
from neurosim.errors import WiringError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """All parts of one kind.

    Args:
        kind: in words and as a keyword: ``rule``.
        package: where the files are: ``neurosim.rules``.
        base: what every part derives from; a part has a ``name`` of its own. A class may also claim other names with a
            static method ``claims(name)``, as ``folder:PATH``.
        group: of entry points in other packages; empty: ``package``.
        fixed: what every constructor takes first, as (``network``, ``loss``); no options.
        example: a name that exists, for messages.
    """

    def __init__(
        self, kind: str, package: str, base: type[T], group: str = "", fixed: tuple[str, ...] = (), example: str = ""
    ) -> None:
        self.kind, self.package, self.base, self.fixed = kind, package, base, fixed
        self.group, self.example = group or package, example

    def available(self) -> dict[str, type[T]]:
        """Name -> class of every part in the package; its files are imported once.

        Raises:
            WiringError: two classes with one name.
        """
        return self._available

    @functools.cached_property
    def _available(self) -> dict[str, type[T]]:
        found: dict[str, type[T]] = {}
        for entry in pkgutil.iter_modules(importlib.import_module(self.package).__path__):
            home = importlib.import_module(f"{self.package}.{entry.name}")
            for _, thing in inspect.getmembers(home, inspect.isclass):
                if thing.__module__ == home.__name__ and issubclass(thing, self.base):
                    self._add(found, thing)
        return found

    def _add(self, found: dict[str, type[T]], thing: type[T]) -> None:
        name = str(getattr(thing, "name", ""))
        if not name:
            return  # a base of others
        if name in found:
            other, own = found[name].__qualname__, thing.__qualname__
            raise WiringError(
                f"{self.kind} {name!r} is both {other} and {own}", "one class a name", "give one another name"
            )
        found[name] = thing

    def attribute(self, word: str) -> type[T]:
        """A class of the package by its own name, ``LayerWise``: what ``__getattr__`` of the package gives.

        Raises:
            AttributeError: no such class.
        """
        if word[:1].isupper():  # a file, or a word of Python's own, is no class: nothing is imported for it
            for found in self.available().values():
                if found.__name__ == word:
                    return found
        raise AttributeError(f"module {self.package!r} has no attribute {word!r}")

    def installed(self) -> dict[str, str]:
        """Name -> ``module:Class`` of every part that another installed package declares; nothing is imported.

        Raises:
            WiringError: two packages declare one name, or one declares a name of this package.
        """
        found: dict[str, str] = {}
        own = self.available()
        for entry in importlib.metadata.entry_points(group=self.group):
            other = own[entry.name].__module__ if entry.name in own else found.get(entry.name, entry.value)
            if other != entry.value:
                raise WiringError(
                    f"the {self.kind} {entry.name} is declared twice, by {other} and by {entry.value}",
                    f"one {self.kind} a name in the group {self.group}",
                    "uninstall one of the two, or write module:Class",
                )
            found[entry.name] = entry.value
        return found

    def find(self, thing: object) -> Callable[..., T]:
        """What makes a part: from a name here, an entry point's name, ``module:Class``, a class, a factory or an object.

        The current folder is searched after everything installed, so that ``mylab/rules.py`` below it is found.

        Returns:
            A class or a function; for an object a function that returns it, called ``thing.__name__`` as its name.

        Raises:
            WiringError: an unknown name; a file that is missing or fails while it is imported; something that is no such
                part.
        """
        if not isinstance(thing, str):
            return self._given(thing, self.name(thing))
        known = self.available()
        for name, found in known.items():
            claims = getattr(found, "claims", None)
            if thing == name or (claims is not None and claims(thing)):
                return found
        if thing.startswith("<"):
            raise WiringError(
                f"the {self.kind} {thing} was given from Python",
                "the same again, which no file can hold",
                f"pass {self.kind}=... once more",
                argument=self.kind,
            )
        if ":" in thing:
            return self._outside(thing)
        others = self.installed()
        if thing not in others:
            names, word = ", ".join(sorted(known | others)), f"{self.kind}={{!r}}"
            example = f"write {word.format(self.example)}, or" if self.example else "write"
            hint = nearest(thing, known | others, f"{example} module:Class for one of your own", word)
            raise WiringError(f"unknown {self.kind} {thing!r}", f"one of {names}", hint, argument=self.kind)
        return self._outside(others[thing])

    def name(self, thing: object) -> str:
        """What a part is called: a name that finds it again; ``<...>`` for what only Python can hold."""
        if isinstance(thing, str):
            return thing
        own = str(getattr(thing, "name", ""))
        if own in self.available() and self.available()[own] is thing:
            return own
        word, home = getattr(thing, "__qualname__", ""), getattr(thing, "__module__", "")
        if word.isidentifier() and home != "__main__" and getattr(sys.modules.get(home), word, None) is thing:
            return f"{home}:{word}"
        return f"<{word or type(thing).__qualname__}>"

    def options(self, thing: object) -> dict[str, Parameter]:
        """The options that a part takes, by name; none of an object that is made already.

        Raises:
            WiringError: as `find`.
        """
        found = self.find(thing)
        return {name: each for name, each in parameters(found, self.fixed).items() if not each.option.derived}

    def make(self, thing: object, *fixed: Any, **given: Any) -> T:
        """A part; options that it does not know are refused, never ignored.

        Args:
            thing: as for `find`.
            *fixed: what every constructor of the kind takes first.
            **given: options.

        Raises:
            WiringError: as `find`; an option that it has not, or that is missing, or out of range.
        """
        found, name = self.find(thing), self.name(thing)
        known = parameters(found)
        if isinstance(thing, self.base) and self.fixed:
            raise WiringError(
                f"the {self.kind} {name} is made already", f"a class, made here from {', '.join(self.fixed)}", "pass it"
            )
        if not set(self.fixed) <= known.keys() and not isinstance(thing, self.base):
            raise WiringError(
                f"{self.kind} {name} takes ({', '.join(known)})",
                f"a constructor that takes {' and '.join(self.fixed)}",
                f"write def __init__(self, {', '.join(self.fixed)})",
            )
        known = {word: each for word, each in known.items() if word not in self.fixed}
        self.check(name, known, given)
        made = found(*fixed, **given)
        if not isinstance(made, self.base):
            raise WiringError(f"{name} makes what is {_kind(made, self.kind)}", self._wanted(), "return one")
        return made

    def check(self, name: str, known: Mapping[str, Parameter], given: Mapping[str, Any]) -> None:
        """Hold that options belong to a part, that none is missing and all are in range.

        Args:
            name: of the part, for the message.
            known: its options. given: those that were given.

        Raises:
            WiringError: one that is not so.
        """
        for option, value in given.items():
            if option not in known:
                instead = nearest(option, known, f"leave {option} out, or choose another {self.kind}")
                raise WiringError(
                    f"{self.kind} {name} has no option {option} ({option}={written(value)})",
                    "options " + ", ".join(sorted(known)) if known else "no option",
                    instead,
                    argument=option,
                )
        missing = [option for option, each in known.items() if each.default is REQUIRED and option not in given]
        if missing:
            raise WiringError(
                f"{self.kind} {name} was not given {missing[0]}",
                "a value for every option without a default",
                f"write {missing[0]}=..., or give it a default",
                argument=missing[0],
            )
        check(known, given)

    def _wanted(self) -> str:
        return f"a class derived from {self.package}.{self.base.__name__}"

    def _given(self, thing: object, name: str) -> Callable[..., T]:
        """A class, a factory or an object from Python itself."""
        if isinstance(thing, self.base):
            made = thing

            def give() -> T:
                return made

            return give
        if inspect.isclass(thing) and issubclass(thing, self.base):
            return thing
        if inspect.isclass(thing) or not callable(thing):
            raise WiringError(f"{name} is {_kind(thing, self.kind)}", self._wanted(), "derive one from it")
        return thing

    def _outside(self, name: str) -> Callable[..., T]:
        place, _, word = name.partition(":")
        if not all(part.isidentifier() for part in [*place.split("."), word]):
            raise WiringError(
                f"the {self.kind} {name!r}", "module:Class with one colon", f"write mylab.{self.kind}s:MyClass"
            )
        home = imported(place, f"the {self.kind} {name}")
        thing = getattr(home, word, None)
        derived = inspect.isclass(thing) and issubclass(thing, self.base)
        if not (derived or isinstance(thing, self.base) or inspect.isfunction(thing)):
            actual = f"{place} has no {word}" if thing is None else f"{name} is {_kind(thing, self.kind)}"
            there = [
                key
                for key, value in vars(home).items()
                if inspect.isclass(value) and issubclass(value, self.base) and value.__module__ == place
            ]
            raise WiringError(
                actual, self._wanted(), f"write {place}:{there[0]}" if there else f"derive one in {place}"
            )
        if derived and not getattr(thing, "name", ""):
            thing.name = word  # type: ignore[union-attr]
        return self._given(thing, name)


def misfit(actual: str, expected: str, hint: str, argument: str) -> WiringError:
    """The error of a part that does not fit where it is asked for, in one line; arguments as of `WiringError`."""
    return WiringError(actual, expected, hint, argument=argument)


def _kind(thing: object, kind: str) -> str:
    return f"a class that derives from no {kind}" if inspect.isclass(thing) else f"of type {type(thing).__name__}"
