"""CUDA texts: each topic, or a small kernel's own file, registers its text; a launch finds the text by the function's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PRELUDE = Path(__file__).with_name("prelude.cu")
_FUNCTION = re.compile(r"^KERNEL (\w+)\(", re.M)


@dataclass(frozen=True)
class Source:
    """One CUDA text, compiled by itself behind the prelude.

    Args:
        text: functions that begin with ``KERNEL name(``; the last argument of each is ``Index count``.
        where: the file it stands in.
    """

    text: str
    where: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Its functions."""
        return tuple(_FUNCTION.findall(self.text))

    @cached_property
    def whole(self) -> str:
        """The text that is compiled."""
        return PRELUDE.read_text(encoding="utf-8") + self.text


_SOURCES: dict[str, Source] = {}


def register(source: Path | str) -> Source:
    """Make the functions of a CUDA text known to launches.

    Args:
        source: a file, or the text itself.

    Raises:
        ValueError: a function of that name is registered already, by another text.
    """
    whole = (
        Source(source.read_text(encoding="utf-8"), str(source))
        if isinstance(source, Path)
        else Source(source, "a text")
    )
    for name in whole.names:
        known = _SOURCES.setdefault(name, whole)
        if known.text != whole.text:
            raise ValueError(f"the CUDA function {name} stands in {known.where} and in {whole.where}")
    return whole


def source_of(name: str) -> Source:
    """The text that a function stands in.

    Raises:
        KeyError: no text that was registered has it.
    """
    return _SOURCES[name]


def registered() -> list[Source]:
    """Every text, once."""
    return list({id(source): source for source in _SOURCES.values()}.values())
