"""A configuration as a TOML file: a table a section, options of a plug-in under ``[rule.options]``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import neurosim
from neurosim.core.options import Option, Parameter
from neurosim.core.reading import File
from neurosim.errors import WiringError, nearest
from neurosim.training import plugins
from neurosim.training.config import Config
from neurosim.training.section import fields
from neurosim.training.sections import KEYWORDS, PLUGGED, SECTIONS


def write_toml(config: Config) -> str:
    """A complete file: every option with its unit and help, and None by its word, as ``images = "all"``.

    Raises:
        WiringError: an option of a plug-in that no file can hold.
    """
    lines = [
        f"# neurosim {neurosim.__version__}: read by neurosim train --config FILE",
        f"recipe = {_text(config.recipe)}",
    ]
    for name, section in config.sections().items():
        known = fields(type(section))
        unseen = {"deformation"} if name == "views" and config.views.kind != "deform" else set()
        if name == "training" and config.training.minutes is not None:
            unseen = {"epochs"}  # minutes say how many
        values = {word: getattr(section, word) for word in known if word not in unseen}
        lines += ["", f"[{name}]", *_lines(values, known)]
        if name in PLUGGED and getattr(section, "options", None):
            options = plugins.options(name, getattr(section, PLUGGED[name]))
            lines += ["", f"[{name}.options]", *_lines(getattr(config, name).options, options)]
    return "\n".join(lines) + "\n"


def _lines(values: Mapping[str, Any], known: Mapping[str, Parameter]) -> Iterator[str]:
    for word, value in values.items():
        option = known[word].option if word in known else Option()
        if value is None:
            if word not in known or not known[word].optional:
                continue
            value = option.none
        help = ": ".join(filter(None, (option.unit, option.help)))
        key = word if re.fullmatch(r"[A-Za-z0-9_-]+", word) else _text(word)
        yield f"{key} = {_value(word, value)}" + (f"  # {help}" if help else "")


def _value(word: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(word, each) for each in value) + "]"
    raise WiringError(
        f"{word} is of type {type(value).__name__}", "a number, a text, or a list of them", "train from Python"
    )


def _text(text: str) -> str:
    """A basic string of TOML: what JSON escapes is escaped alike there; DEL has to be, too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_toml(path: Path) -> dict[str, Any]:
    """Tables as a file has them, their names and keys checked; values are checked by who uses them.

    Raises:
        RunError: a file that cannot be read, or is no TOML.
        WiringError: an unknown table or key.
    """
    tables = File(path, "a TOML file, with tables as docs/configuration.md has them", "correct it").toml()
    for name, table in tables.items():
        if name == "recipe" and isinstance(table, str):
            continue
        if name not in SECTIONS:
            place = f"write it under [{KEYWORDS[name][0]}]" if name in KEYWORDS else _near(name, [*SECTIONS, "recipe"])
            raise WiringError(f"{path}: unknown key {name!r}", "one of recipe, " + ", ".join(SECTIONS), place)
        _check(path, name, table)
    return tables


def _check(path: Path, name: str, table: Any) -> None:
    if not isinstance(table, Mapping):
        raise WiringError(f"{path}: {name}={table!r}", f"a table [{name}]", f"write [{name}] and below it name = ...")
    known = [*fields(SECTIONS[name]), *["options"] * (name in PLUGGED)]
    for word, value in table.items():
        if word not in known:
            raise WiringError(
                f"{path}: unknown key {word!r} in [{name}]", "one of " + ", ".join(known), _near(word, known)
            )
        if word == PLUGGED.get(name) and not isinstance(value, str):
            keyword = fields(SECTIONS[name])[word].name
            raise WiringError(
                f"{path}: {keyword}={value!r}", "a text", f'write {word} = "..." in [{name}]', argument=keyword
            )
        if word == "options" and not isinstance(value, Mapping):
            raise WiringError(f"{path}: options={value!r}", f"a table [{name}.options]", f"write [{name}.options]")


def _near(word: str, known: list[str]) -> str:
    own = "options of a plug-in stand in a table of their own, [SECTION.options]"
    return nearest(word, known, own if "options" in known else "see docs/configuration.md")
