"""What every section of a configuration is: a frozen record whose fields are declared once, checked when it is made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from neurosim.core.options import Parameter, check, parameters

OWN = ("options",)  # fields that are no options themselves


def as_keyword(keyword: str, default: object) -> Any:
    """A field that is called otherwise among the flat keywords and on the command line."""
    return field(default=default, metadata={"keyword": keyword})


@dataclass(frozen=True)
class Section:
    """Base of the sections: values are checked when one is made.

    Raises:
        WiringError: a value out of range; it names the argument by its flat keyword.
    """

    def __post_init__(self) -> None:
        for name, known in fields(type(self)).items():
            object.__setattr__(self, name, known.read(getattr(self, name)))
        check({each.name: each for each in fields(type(self)).values()}, self.flat())

    def flat(self) -> dict[str, Any]:
        """Flat keyword -> value of every field; not the plug-in's options."""
        return {known.name: getattr(self, name) for name, known in fields(type(self)).items()}


def fields(section: type[Section]) -> dict[str, Parameter]:
    """Field -> what is declared of it, under its flat keyword."""
    if section not in _FIELDS:
        _FIELDS[section] = _fields(section)
    return _FIELDS[section]


_FIELDS: dict[type[Section], dict[str, Parameter]] = {}


def _fields(section: type[Section]) -> dict[str, Parameter]:
    keywords = {each.name: each.metadata.get("keyword", each.name) for each in dataclasses.fields(section)}
    declared = parameters(section, fixed=OWN)
    return {name: dataclasses.replace(each, name=keywords[name]) for name, each in declared.items()}
