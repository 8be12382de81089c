"""Arguments of kernels: the sizes, alternatives and types that a short text declares, and how given arrays match them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from neurosim.errors import ShapeError, WiringError

Sizes = dict[str, int]
REAL = ("float32", "float64")
KINDS = {"real": REAL, "index": ("int64",), "byte": ("uint8",)}
_WORD = re.compile(r"(?:(\d+)\*)?([A-Za-z_]\w*)(?:/(\d+))?|\d+|\.\.\.|\*")
_FIXED = re.compile(r"([A-Za-z_]\w*)=(\d+)")


class Shaped(Protocol):
    """What is matched: a buffer, or an array with a name."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype


@dataclass(frozen=True)
class Argument:
    """One argument of a kernel.

    The text is ``[?]LAYOUT [| LAYOUT ...][: TYPE [TYPE ...]]``. A layout names the axes: a word is the size of an axis, the
    same wherever the word stands in one kernel; ``row/2`` and ``2*row`` are a half and twice of it; a number is itself;
    ``...`` is any axes, the same wherever it stands; ``*`` alone is anything at all, of any type. ``word=2`` is no axis: in
    every argument the word is 2 where that layout is chosen, so that alternatives of two arguments can belong together. Types
    are ``real`` (float32 or float64, the same for all real arguments; the default), ``like NAME`` for other classes of their
    own, or NumPy's names.

    Args:
        name: of the argument.
        text: as above.
        use: ``reads``, ``writes``, ``updates`` or ``sums``.

    Raises:
        WiringError: a text that cannot be read.
    """

    name: str
    text: str
    use: str
    layouts: tuple[tuple[str, ...], ...] = field(init=False)
    fixed: tuple[Sizes, ...] = field(init=False)  # for each layout, the sizes that it fixes
    types: tuple[str, ...] = field(init=False)
    optional: bool = field(init=False)

    def __post_init__(self) -> None:
        before, _, types = self.text.partition(":")
        before = before.strip()
        object.__setattr__(self, "optional", before.startswith("?"))
        texts = before.removeprefix("?").split("|")
        fixed = tuple({name: int(size) for name, size in _FIXED.findall(one)} for one in texts)
        layouts = tuple(tuple(word for word in one.split() if not _FIXED.fullmatch(word)) for one in texts)
        wrong = [word for layout in layouts for word in layout if not _WORD.fullmatch(word)]
        if wrong or any("*" in layout and len(layout) > 1 for layout in layouts):
            raise WiringError(
                f"the argument {self.name} is declared as {self.text!r}",
                "words, numbers, word/2, 2*word, word=2, ... or *, with | between layouts and : before types",
                "check its declaration",
            )
        object.__setattr__(self, "layouts", layouts)
        object.__setattr__(self, "fixed", fixed)
        object.__setattr__(self, "types", tuple(types.split()) or ("real",))

    @property
    def result(self) -> bool:
        """Whether the kernel changes it."""
        return self.use != "reads"


def match(where: str, given: Sequence[tuple[Argument, Shaped]]) -> tuple[Sizes, dict[str, tuple[str, ...]]]:
    """Sizes of the named axes (of ``...`` the product of them all), and the layout that each argument has.

    Args:
        where: what is checked, for the message.
        given: arguments with the arrays given for them.

    Raises:
        ShapeError: sizes or types that do not fit the declarations.
    """
    _check_types(where, given)
    for sizes, layouts in _matches(list(given), {}):
        return {name: size if isinstance(size, int) else math.prod(size) for name, size in sizes.items()}, layouts
    found = ", ".join(f"{argument.name} {'x'.join(map(str, thing.shape))}" for argument, thing in given)
    wanted = ", ".join(f"{argument.name} ({argument.text})" for argument, _ in given)
    raise ShapeError(f"{where} is given {found}", f"sizes that fit {wanted}", "check the network's sizes")


def _check_types(where: str, given: Sequence[tuple[Argument, Shaped]]) -> None:
    real: dict[str, str] = {}
    for argument, thing in given:
        if argument.layouts == (("*",),):
            continue
        name = np.dtype(thing.dtype).name
        allowed = [each for kind in argument.types for each in KINDS.get(kind, (kind,))]
        if name not in allowed:
            raise ShapeError(
                f"{where} is given {thing.name} of {name}", " or ".join(allowed), "check the type of the array"
            )
        if argument.types == ("real",):
            real[name] = thing.name
    if len(real) > 1:
        listed = " and ".join(f"{thing} of {name}" for name, thing in sorted(real.items()))
        raise ShapeError(f"{where} is given {listed}", "one type of real numbers", "check the precision of its arrays")


def _matches(
    given: list[tuple[Argument, Shaped]], sizes: Mapping[str, int | tuple[int, ...]]
) -> Iterator[tuple[dict[str, int | tuple[int, ...]], dict[str, tuple[str, ...]]]]:
    """Every way to choose a layout for each argument so that all sizes agree."""
    if not given:
        yield dict(sizes), {}
        return
    (argument, thing), *rest = given
    for layout, fixed in zip(argument.layouts, argument.fixed, strict=True):
        found = _bind(layout, tuple(thing.shape), {**sizes, **fixed})
        if found is None or any(sizes.get(name, size) != size for name, size in fixed.items()):
            continue
        for whole, layouts in _matches(rest, found):
            yield whole, {argument.name: layout, **layouts}


def _bind(
    layout: tuple[str, ...], shape: tuple[int, ...], sizes: dict[str, int | tuple[int, ...]]
) -> dict[str, int | tuple[int, ...]] | None:
    """The sizes with those of one more array; None where they do not agree."""
    if layout == ("*",):
        return sizes
    if "..." in layout:
        place, after = layout.index("..."), len(layout) - layout.index("...") - 1
        if len(shape) < len(layout) - 1:
            return None
        middle = shape[place : len(shape) - after]
        if sizes.setdefault("...", middle) != middle:
            return None
        layout = layout[:place] + layout[place + 1 :]
        shape = shape[:place] + shape[len(shape) - after :]
    if len(layout) != len(shape):
        return None
    for word, size in zip(layout, shape, strict=True):
        if word.isdecimal():
            if size != int(word):
                return None
            continue
        parts = _WORD.fullmatch(word)
        assert parts is not None
        times, name, over = int(parts[1] or 1), parts[2], int(parts[3] or 1)
        if size * over % times or sizes.setdefault(name, size * over // times) != size * over // times:
            return None
    return sizes
