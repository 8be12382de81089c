"""Recipes: defaults that differ by data set, rule, loss, network or plasticity. One file each in recipes/; exactly one applies.

A file has in ``[match]`` when it applies: for any of `KEYS` a value, a list of values, or ``"not VALUE"``. A key that was not
given has the value ``unset`` (network, plasticity) or its default (rule, loss, data). Of all that match, the one that names
the most keys applies; ``not`` excludes and names nothing. A file without ``[match]`` applies where it is asked for by its name,
``recipe="record"``. ``extends`` starts from another recipe's settings.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from neurosim.errors import WiringError, nearest

KEYS = ("rule", "loss", "data", "network", "plasticity")
UNSET = {"rule": "ll", "loss": "hinge", "data": "toys", "network": "unset", "plasticity": "unset"}


@dataclass(frozen=True)
class Recipe:
    """One file of recipes/.

    Attributes:
        name: of the file.
        summary: one line.
        match: key -> values that it may have, and those that it may not, ``not VALUE``; empty: it is asked for by name.
        settings: section -> field -> value; under ``options`` those of plug-ins.
    """

    name: str
    summary: str
    match: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, Mapping[str, Any]]

    def specificity(self, names: Mapping[str, str]) -> int | None:
        """How many keys it names, where it matches; None where it does not."""
        count = 0
        if not self.match:
            return None
        for key, values in self.match.items():
            wanted = [value for value in values if not value.startswith("not ")]
            if names[key] in {value.removeprefix("not ") for value in set(values) - set(wanted)}:
                return None
            if wanted and names[key] not in wanted:
                return None
            count += bool(wanted)
        return count


@cache
def recipes() -> dict[str, Recipe]:
    """Every recipe by name, with the settings of what it extends."""
    folder = files("neurosim.training") / "recipes"
    texts = {entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8") for entry in folder.iterdir()}
    tables = {name: tomllib.loads(text) for name, text in texts.items()}
    return {name: _recipe(name, tables) for name in sorted(tables)}


def _recipe(name: str, tables: Mapping[str, Mapping[str, Any]]) -> Recipe:
    match = {
        key: (value,) if isinstance(value, str) else tuple(value)
        for key, value in tables[name].get("match", {}).items()
    }
    return Recipe(name, tables[name]["summary"], match, _settings(name, tables))


def _settings(name: str, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    table = tables[name]
    base = _settings(table["extends"], tables) if "extends" in table else {}
    return merged(base, {word: value for word, value in table.items() if word not in ("match", "summary", "extends")})


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two nested tables, where the second wins."""
    found = dict(first)
    for word, value in second.items():
        old = found.get(word)
        found[word] = merged(old, value) if isinstance(value, Mapping) and isinstance(old, Mapping) else value
    return found


def matching(names: Mapping[str, str]) -> list[Recipe]:
    """The recipes that match the names best: one; more would be a mistake in recipes/, which a test looks for."""
    known = {key: names.get(key, UNSET[key]) for key in KEYS}
    ranked = [(each.specificity(known), each) for each in recipes().values()]
    best = max(rank for rank, _ in ranked if rank is not None)
    return [each for rank, each in ranked if rank == best]


def choose(names: Mapping[str, str], asked: str | None = None) -> Recipe:
    """The recipe that applies.

    Args:
        names: of `KEYS`, those that were given.
        asked: a recipe's name, which then applies whatever was given.

    Raises:
        WiringError: an unknown recipe.
    """
    if asked is not None:
        if asked not in recipes():
            known = ", ".join(recipes())
            near = nearest(asked, recipes(), "write recipe='photographs'", "recipe={!r}")
            raise WiringError(f"unknown recipe {asked!r}", f"one of {known}", near, argument="recipe")
        return recipes()[asked]
    return matching(names)[0]
