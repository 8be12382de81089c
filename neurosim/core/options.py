"""Options: what a constructor's arguments are, declared once, in its annotations, and checked against that.

    def __init__(self, lags: Annotated[int | None, Option("moments of memory", low=2, none="all")] = 5): ...

A range, the choices, the help of the command line and what a file may hold are all read from here.
"""

from __future__ import annotations

import functools
import inspect
import math
import numbers
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from neurosim.errors import WiringError, nearest

REQUIRED: Any = inspect.Parameter.empty
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Option:
    """What is true of one option, beside its type and its default.

    Args:
        help: one line for the command line, without the default.
        unit: of a number.
        choices: the words that it may be; none: any.
        low: the least value allowed. above: it must be larger than this.
        high: the largest value allowed. below: it must be smaller than this.
        metavar: what ``--help`` shows for the value.
        none: the word for None on the command line and in files, as ``all`` for an unlimited memory.
        needs: another option without which (None) this one must be left out.
        derived: computed by whoever builds the part; no option of a user.
        short: a few words for the help screen that shows what is used most; None: only the whole help shows the option.
    """

    help: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    above: float | None = None
    high: float | None = None
    below: float | None = None
    metavar: str = ""
    none: str = "none"
    needs: str = ""
    derived: bool = False
    short: str | None = None

    def allows(self, value: float) -> bool:
        """Whether a number is finite and in the range."""
        return (
            math.isfinite(value)
            and (self.low is None or value >= self.low)
            and (self.above is None or value > self.above)
            and (self.high is None or value <= self.high)
            and (self.below is None or value < self.below)
        )

    def range(self) -> str:
        """The range in words, empty where every number is allowed."""
        words = (("of at least", self.low), ("above", self.above), ("at most", self.high), ("below", self.below))
        return " and ".join(f"{word} {bound:g}" for word, bound in words if bound is not None)


@dataclass(frozen=True)
class Parameter:
    """One argument of a constructor, as declared.

    Attributes:
        name: the keyword.
        type: ``int``, ``float``, ``bool``, ``str``, ``tuple`` (numbers), or ``object`` where nothing is known of it.
        optional: whether None is a value.
        default: `REQUIRED` where it must be given.
        option: range, choices, help.
        declared: whether its type was written down, and not guessed from the default.
    """

    name: str
    type: type
    optional: bool
    default: Any
    option: Option
    declared: bool = True

    def check(self, value: Any) -> None:
        """Hold that a value is allowed.

        Raises:
            WiringError: another type, out of range, or none of the choices; it names the argument.
        """
        if value is None and (self.optional or not self.declared):
            return
        if self.option.choices and value not in self.option.choices:
            known = self.option.choices
            instead = self.default if self.default in known else known[0]
            near = nearest(str(value), known, form=f"{self.name}={{!r}}")
            raise self._refused(f"unknown {self.name} {value!r}", f"one of {', '.join(known)}", instead, near)
        if not self._fits(value):
            raise self._refused(f"{self.name}={written(value)}", self.expected())

    def expected(self) -> str:
        """What is allowed, in words."""
        kinds = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", tuple: "numbers"}
        words = f"{kinds.get(self.type, 'a value')} {self.option.range()}".strip()
        return f"{words}, or {self.option.none!r}" if self.optional and self.option.none != "none" else words

    def _fits(self, value: Any) -> bool:
        if self.type in (int, float):
            kind = numbers.Integral if self.type is int and self.declared else numbers.Real
            return isinstance(value, kind) and not isinstance(value, bool) and self.option.allows(float(value))
        if self.type is tuple:
            many = isinstance(value, list | tuple) and all(isinstance(each, numbers.Real) for each in value)
            return many and all(map(self.option.allows, value))
        return self.type is object or not self.declared or isinstance(value, self.type)

    def _refused(self, actual: str, expected: str, instead: Any = None, hint: str = "") -> WiringError:
        if instead is None and self.default is not REQUIRED:
            instead = self.default
        if instead is None and not self.optional:
            instead = self.option.low if self.option.low is not None else self.option.high
        hint = hint or (f"leave {self.name} out" if instead is None else f"write {self.name}={written(instead)}")
        return WiringError(actual, expected, hint, argument=self.name)

    def read(self, value: Any) -> Any:
        """A value as it is held: None for its word, plain numbers of the declared type, a tuple for a list."""
        if self.optional and value == self.option.none:
            return None
        if self.type is tuple and isinstance(value, list | tuple) and all(isinstance(n, numbers.Real) for n in value):
            return tuple(map(float, value))
        if isinstance(value, numbers.Real) and not isinstance(value, bool) and self.declared:
            if self.type is float:
                return float(value)
            if self.type is int and isinstance(value, numbers.Integral):
                return int(value)
        return value


def written(value: Any) -> str:
    """A value as it is written in a message: ``5``, ``0.1``, ``1,0.5``, ``'hinge'``."""
    if isinstance(value, list | tuple):
        return ",".join(written(each) for each in value)
    if isinstance(value, float):
        return f"{value:g}"
    return repr(value)


def parameters(function: Callable[..., Any], fixed: Iterable[str] = ()) -> dict[str, Parameter]:
    """The arguments of a class's constructor, or of a function, by name.

    Args:
        function: whose. An argument without annotation has the type of its default, and no help.
        fixed: names that are no options, as ``network``.
    """
    return dict(_parameters(function, tuple(fixed)))


@functools.lru_cache(maxsize=512)
def _parameters(function: Callable[..., Any], fixed: tuple[str, ...]) -> dict[str, Parameter]:
    owner = function.__init__ if inspect.isclass(function) else function
    names = getattr(inspect.unwrap(owner), "__globals__", {})
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in _VARIADIC and name not in fixed:
            found[name] = declared(name, _annotation(parameter.annotation, names), parameter.default)
    return found


def declared(name: str, annotation: Any, default: Any) -> Parameter:
    """An argument from its annotation; without one, from its default."""
    option = Option()
    if get_origin(annotation) is typing.Annotated:
        annotation, *extra = get_args(annotation)
        option = next((each for each in extra if isinstance(each, Option)), option)
    if annotation is None:
        known = type(default) if isinstance(default, bool | int | float | str) else object
        return Parameter(name, known, True, default, option, declared=False)
    inner = get_args(annotation) if get_origin(annotation) in (typing.Union, types.UnionType) else (annotation,)
    kinds = [get_origin(each) or each for each in inner if each is not type(None)]
    kind = kinds[0] if len(kinds) == 1 and kinds[0] in (int, float, bool, str, tuple) else object
    return Parameter(name, kind, len(kinds) < len(inner), default, option)


def _annotation(annotation: Any, names: dict[str, Any]) -> Any:
    """An annotation evaluated; None where there is none, or where its names are known to a type checker alone."""
    if annotation is inspect.Parameter.empty:
        return None
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, names)
    except (NameError, AttributeError, TypeError, SyntaxError):
        return None


def check(known: Mapping[str, Parameter], given: Mapping[str, Any]) -> None:
    """Hold that values are allowed, each by itself and beside the option that it needs.

    Raises:
        WiringError: one that is not.
    """
    for name, value in given.items():
        if name in known:
            known[name].check(value)
            needs = known[name].option.needs
            if needs and value is not None and given.get(needs, known[needs].default) is None:
                without = f"{needs}={known[needs].option.none}"
                raise WiringError(
                    f"{name}={written(value)} with {without}",
                    f"{name} beside a number of {needs}",
                    f"leave {name} out",
                    argument=name,
                )


class Declared:
    """Base of everything whose constructor declares options: what it is given is checked before it runs."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if "__init__" in vars(cls):
            cls.__init__ = _checked(cls.__init__)  # type: ignore[method-assign]


def _checked(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def checked(self: Any, *args: Any, **given: Any) -> None:
        try:
            bound = inspect.signature(init).bind(self, *args, **given).arguments
        except TypeError:
            bound = {}  # the call below explains better what is wrong
        check(_known(init), bound)
        init(self, *args, **given)

    return checked


@functools.cache
def _known(init: Callable[..., None]) -> dict[str, Parameter]:
    named = parameters(init)
    return {name: argument for name, argument in named.items() if argument.option != Option()}
