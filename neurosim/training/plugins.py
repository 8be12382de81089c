"""Which sections of a configuration name a plug-in, and what options it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurosim import losses, plasticity, rules
from neurosim.core.options import REQUIRED, Parameter, written
from neurosim.core.plugins import Registry
from neurosim.data import views
from neurosim.data.sources import loading
from neurosim.data.sources.base import Source
from neurosim.errors import DataError, WiringError, nearest
from neurosim.networks import presets
from neurosim.networks.text import named

REGISTRIES: dict[str, Registry[Any]] = {
    "data": loading.REGISTRY,
    "views": views.REGISTRY,
    "network": presets.REGISTRY,
    "rule": rules.REGISTRY,
    "loss": losses.REGISTRY,
    "plasticity": plasticity.REGISTRY,
}
OF_SECTIONS = ("rate",)  # options of a plug-in that are fields of its section


def options(section: str, thing: object) -> dict[str, Parameter]:
    """The options of the plug-in of a section, by name; none where the section has no plug-ins.

    Raises:
        WiringError: an unknown plug-in.
    """
    registry = REGISTRIES.get(section)
    if registry is None or (
        isinstance(thing, str) and thing.startswith("<")
    ):  # given from Python, with the options that it has
        return {}
    if section == "data" and _source(str(thing)) is None:  # given from Python by a name, or refused when it is read
        return {}
    if section == "network" and not named(thing):  # a text
        return {}
    return {word: each for word, each in registry.options(thing).items() if word not in OF_SECTIONS}


def name(section: str, thing: object) -> str:
    """What a plug-in is called in files and messages."""
    return REGISTRIES[section].name(thing) if section in REGISTRIES else str(thing)


def strengths(data: str, deformation: object) -> dict[str, Any]:
    """The strengths of a deformation that suit a data set; none where neither has any."""
    source = _source(data)
    return {} if source is None else dict(source.strengths.get(name("views", deformation), {}))


def side(data: str) -> int | None:
    """Rows of the pictures of a data set; None where they may have any size."""
    source = _source(data)
    return None if source is None or source.image is None else source.image[0]


def _source(data: str) -> Source | None:
    """A data set; None of one that was given from Python, or that is refused when it is read."""
    try:
        return None if data.startswith("<") else loading.find(data)
    except DataError:
        return None


def patches(loss: object) -> bool:
    """Whether a loss compares the patches of one picture instead of two views.

    Raises:
        WiringError: an unknown loss.
    """
    found = losses.find(loss)
    return bool(getattr(loss if found.__name__ == "give" else found, "patches", False))


def share_out(things: Mapping[str, object], loose: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Give options to the plug-ins that have them.

    Args:
        things: section -> the plug-in that it names.
        loose: options by name alone.

    Returns:
        Section -> options.

    Raises:
        WiringError: an option that none has, or two.
    """
    known = {section: options(section, thing) for section, thing in things.items()}
    found: dict[str, dict[str, Any]] = {section: {} for section in things}
    for option, value in loose.items():
        takers = [section for section in things if option in known[section]]
        if not takers:
            raise _nobodys(things, known, option, value)
        if len(takers) > 1:
            both = " and ".join(f"the {section} {name(section, things[section])}" for section in takers)
            raise WiringError(
                f"{option} is an option of {both}",
                "an option of one of them",
                f"write it in a file, under [{takers[0]}.options]",
                argument=option,
            )
        found[takers[0]][option] = value
    return found


def _nobodys(
    things: Mapping[str, object], known: Mapping[str, Mapping[str, Parameter]], option: str, value: Any
) -> WiringError:
    for section, registry in REGISTRIES.items():
        if any(option in registry.options(each) for each in registry.available()):
            wanted = "options " + ", ".join(sorted(known[section])) if known[section] else "no option"
            return WiringError(
                f"{section} {name(section, things[section])} has no option {option} ({option}={written(value)})",
                wanted,
                f"leave {option} out, or choose another {section}",
                argument=option,
            )
    words = sorted({word for each in known.values() for word in each})
    return unknown(option, words)


def unknown(word: str, words: list[str]) -> WiringError:
    """The error of a name that is no option, with the nearest one."""
    hint = nearest(word.replace("-", "_"), words, "see docs/configuration.md")
    return WiringError(f"unknown option {word!r}", "one of " + ", ".join(words), hint, argument=word)


def complete(section: str, thing: object, given: Mapping[str, Any], filled: Mapping[str, Any]) -> dict[str, Any]:
    """Every option of a plug-in: given, else from a recipe, else its constructor's default.

    Args:
        section, thing: which.
        given: by the user; each must belong to it.
        filled: by a recipe; what does not belong is left out.

    Raises:
        WiringError: an option out of range, that it has not, or that is missing.
    """
    known = options(section, thing)
    found = {word: each.default for word, each in known.items()}
    found |= {word: value for word, value in filled.items() if word in known}
    found |= given
    found = {word: known[word].read(value) if word in known else value for word, value in found.items()}
    for word, each in known.items():
        needs = each.option.needs
        if needs and word not in given and found.get(needs) is None:
            found[word] = None
    found = {word: value for word, value in found.items() if value is not REQUIRED}
    if section in REGISTRIES:
        REGISTRIES[section].check(name(section, thing), known, found)
    elif given:
        raise unknown(next(iter(given)), [])
    return found
