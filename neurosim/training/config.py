"""What a run is asked to do: nested sections, each field declared once (`neurosim.training.sections`).

The flat keywords of Python (``rule="ll"``, ``lags=5``), click's options, a TOML file and config.json are four ways to
write the same; docs/configuration.md has them all.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neurosim
from neurosim.core.records import Shape, check, parsed
from neurosim.errors import RunError
from neurosim.training import plugins
from neurosim.training.section import Section
from neurosim.training.sections import (
    KEYWORDS,
    PLUGGED,
    SECTIONS,
    Data,
    Loss,
    Network,
    Plasticity,
    Readout,
    Rule,
    Training,
    Views,
)

FORMAT = 1  # of config.json; raised when an older one would be read wrongly


CONFIG: Shape = {"format?": int, "recipe?": str, "neurosim?": str, **{f"{name}?": dict for name in SECTIONS}}


@dataclass(frozen=True)
class Config:
    """Every option of a run, in sections; `resolve` makes one from what was given, a recipe and the defaults.

    ``config.training.batch``, ``config.rule.options["order"]``. Two are equal if all options are; the recipe's name does not
    count.

    Attributes:
        recipe: the name of the one recipe that filled what was not given.

    Raises:
        WiringError: a value out of range; it names the argument.
    """

    data: Data = field(default_factory=Data)
    views: Views = field(default_factory=Views)
    network: Network = field(default_factory=Network)
    rule: Rule = field(default_factory=Rule)
    loss: Loss = field(default_factory=Loss)
    plasticity: Plasticity = field(default_factory=Plasticity)
    training: Training = field(default_factory=Training)
    readout: Readout = field(default_factory=Readout)
    recipe: str = field(default="", compare=False)

    @classmethod
    def resolve(cls, **given: Any) -> Config:
        """Fill what was not given with one recipe and the defaults.

        Args:
            **given: options by their flat keywords (``rule="ll"``, ``lags=5``, ``recipe="photographs"``); None: not given.
                ``lags="all"`` is no memory. A rule or loss may be a class, a factory or ``module:Class``.

        Raises:
            WiringError: an option that nothing has, that does not go with another, or that is out of range.
        """
        from neurosim.training.resolve import resolve

        return resolve({}, given)

    @classmethod
    def from_toml(cls, path: Path | str, **given: Any) -> Config:
        """From a file of tables, one a section; what is given besides wins.

        Raises:
            RunError: a file that cannot be read or is no TOML.
            WiringError: an unknown table or key; and as `resolve`.
        """
        from neurosim.training.resolve import resolve
        from neurosim.training.toml import read_toml

        return resolve(read_toml(Path(path)), given)

    def to_toml(self) -> str:
        """A complete file that `from_toml` reads back to an equal configuration."""
        from neurosim.training.toml import write_toml

        return write_toml(self)

    def sections(self) -> dict[str, Section]:
        """Section by name, in order."""
        return {name: getattr(self, name) for name in SECTIONS}

    def flat(self) -> dict[str, Any]:
        """Every option by its flat keyword; options of plug-ins by their own names, ``rule.NAME`` where that is taken."""
        found = {word: value for section in self.sections().values() for word, value in section.flat().items()}
        for name, section in self.sections().items():
            for word, value in getattr(section, "options", {}).items():
                found[f"{name}.{word}" if word in found else word] = value
        return found

    def replace(self, **given: Any) -> Config:
        """A copy with other values, by flat keywords; no recipe. Another plug-in starts with its own defaults.

        Raises:
            WiringError: as `resolve`.
        """
        tables, loose = split(given)
        named = {name: getattr(getattr(self, name), field) for name, field in PLUGGED.items()}
        things = {name: tables.get(name, {}).get(PLUGGED[name], thing) for name, thing in named.items()}
        shared = plugins.share_out(things, loose) if loose else {}
        made: dict[str, Any] = {}
        for name in tables.keys() | {name for name, options in shared.items() if options}:
            old, table = getattr(self, name), dict(tables.get(name, {}))
            if name in things and (things[name] != named[name] or shared.get(name)):
                kept = old.options if things[name] == named[name] else {}
                table["options"] = plugins.complete(name, things[name], shared.get(name, {}), kept)
                table[PLUGGED[name]] = plugins.name(name, things[name])
            made[name] = dataclasses.replace(old, **table)
        return dataclasses.replace(self, **made)

    @property
    def grid(self) -> int | None:
        """Rows of patches in a crop; None without patches."""
        return self.views.grid

    def to_json(self) -> str:
        """As it is written to config.json: ``format``, ``recipe`` and a record a section."""
        record: dict[str, Any] = {"format": FORMAT, "recipe": self.recipe}
        for name, section in self.sections().items():
            values = {each.name: getattr(section, each.name) for each in dataclasses.fields(section)}
            record[name] = values
        return json.dumps(record, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "config.json") -> Config:
        """From config.json; a field that the file has not keeps its default. Nothing is imported that the file names.

        Raises:
            RunError: text that is not such a file, or of another version.
        """
        again = "train anew into another folder"
        try:
            record = check(parsed(text), CONFIG)
            version = record.get("neurosim", "?")
            if record.get("format") != FORMAT:
                raise RunError(
                    f"{where} was written by neurosim {version}, in another format",
                    f"format {FORMAT}, of neurosim {neurosim.__version__}",
                    f"install neurosim {version} to go on with it, or {again}",
                )
            made: dict[str, Any] = {name: section(**record.get(name, {})) for name, section in SECTIONS.items()}
            for section in made.values():
                check(getattr(section, "options", {}), dict, "options")
            return cls(**made, recipe=record.get("recipe", ""))
        except (ValueError, TypeError, AttributeError, RecursionError) as problem:
            raise RunError(
                f"{where} cannot be read ({problem})", "the config.json that this version wrote", again
            ) from None


def split(given: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Flat keywords as tables, one a section, and what belongs to a plug-in."""
    tables: dict[str, dict[str, Any]] = {}
    loose = {}
    for word, value in given.items():
        value = str(value) if isinstance(value, Path) else value
        if word in KEYWORDS:
            section, name = KEYWORDS[word]
            tables.setdefault(section, {})[name] = value
        else:
            loose[word] = value
    return tables, loose
