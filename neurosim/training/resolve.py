"""From what was given to a whole configuration: one recipe, the defaults, and what patches ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurosim.core.options import written
from neurosim.data.views.framing import grid
from neurosim.errors import WiringError
from neurosim.networks.text import parse
from neurosim.training import plugins
from neurosim.training.config import Config, split
from neurosim.training.recipe import KEYS, choose, merged
from neurosim.training.section import fields
from neurosim.training.sections import PLUGGED, SECTIONS, label_numbers

Tables = dict[str, dict[str, Any]]


def resolve(tables: Mapping[str, Any], given: Mapping[str, Any]) -> Config:
    """A whole configuration.

    Args:
        tables: section -> field -> value, as a file has them; ``recipe`` beside them.
        given: flat keywords; they win. None: not given.

    Raises:
        WiringError: an option that nothing has, that does not go with another, or that is out of range.
    """
    given = {word: value for word, value in given.items() if value is not None}
    asked = given.pop("recipe", tables.get("recipe"))
    flat, loose = split(given)
    wanted = _merge_files(tables, flat)
    _refuse_two_lengths(wanted.get("training", {}))
    names = {key: plugins.name(key, wanted[key]["name"]) for key in KEYS if "name" in wanted.get(key, {})}
    recipe = choose(names, asked)
    filled = merged(recipe.settings, wanted)
    things = {section: filled.get(section, {}).get(name, _default(section, name)) for section, name in PLUGGED.items()}
    shared = plugins.share_out(things, loose)
    _refuse_unseen(wanted, filled, things["loss"], names)
    if plugins.patches(things["loss"]):
        filled = merged(filled, _patches(things["loss"], wanted, filled))
    else:
        filled = merged(filled, {"views": {"patch": None}})  # a recipe's, of losses that compare patches
    made: dict[str, Any] = {}
    for section, kind in SECTIONS.items():
        table = _values(section, filled.get(section, {}))
        if section in things:
            own = wanted.get(section, {}).get("options", {}) | shared[section]
            recipes = recipe.settings.get(section, {}).get("options", {})
            if section == "views":
                recipes = plugins.strengths(str(things["data"]), things["views"]) | recipes
            table["options"] = plugins.complete(section, things[section], own, recipes)
            table[PLUGGED[section]] = plugins.name(section, things[section])
        if isinstance(table.get("layer_rates"), str):
            table["layer_rates"] = rates(table["layer_rates"], len(parse(made["network"].text)))
        made[section] = kind(**table)
    return Config(**made, recipe=recipe.name)


def _refuse_two_lengths(wanted: Mapping[str, Any]) -> None:
    """Refuse a budget of minutes beside a number of epochs, in what was given for training.

    Raises:
        WiringError: both.
    """
    if "epochs" in wanted and wanted.get("minutes", "none") not in (None, "none"):
        fits = "one of them: minutes say how many epochs fit"
        raise WiringError("epochs beside minutes", fits, "leave epochs out", argument="epochs")


def _default(section: str, name: str) -> Any:
    return SECTIONS[section].__dataclass_fields__[name].default


def _values(section: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as they are held: a file's word for None, a list of numbers."""
    known = fields(SECTIONS[section])
    found = {word: known[word].read(value) if word in known else value for word, value in table.items()}
    if found.get("labels"):  # the largest number is what the read-out may see
        found.setdefault("images", max(10, *label_numbers(found["labels"])))
    return found


def _merge_files(tables: Mapping[str, Any], flat: Tables) -> Tables:
    """What a file has and what was given besides; the file's options of a plug-in go with the plug-in that it names."""
    found: Tables = {section: dict(table) for section, table in tables.items() if section in SECTIONS}
    for section, table in flat.items():
        other = PLUGGED.get(section)
        if other in table and section in found and table[other] != found[section].get(other, table[other]):
            found[section].pop("options", None)
    return merged(found, flat)


def rates(text: str, layers: int) -> tuple[float, ...]:
    """Rates of layers from a text: ``0.3, 1, 1.5..., 0``; a number followed by ``...`` fills what the others leave.

    Args:
        text: numbers with commas between.
        layers: how many there are.

    Raises:
        WiringError: something else, or more numbers than layers.
    """
    parts = [part.strip() for part in text.split(",")]
    repeated = [number for number, part in enumerate(parts) if part.endswith("...")]
    try:
        numbers = [float(part.removesuffix("...")) for part in parts]
    except ValueError:
        numbers = []
    left = layers - (len(numbers) - 1)
    if not numbers or len(repeated) > 1 or (repeated and left < 0):
        raise WiringError(
            f"layer_rates={text!r}",
            f"numbers with commas between, one of them perhaps with ..., for {layers} layers",
            "write layer_rates=1,1,0.5",
            argument="layer_rates",
        )
    for number in repeated:
        numbers[number : number + 1] = [numbers[number]] * left
    return tuple(numbers)


def _refuse_unseen(wanted: Tables, filled: Mapping[str, Any], loss: object, names: Mapping[str, str]) -> None:
    """Refuse views that the loss does not compare.

    Raises:
        WiringError: patches without a loss that compares them, a deformation that nothing shows.
    """
    own, kind = wanted.get("views", {}), filled.get("views", {}).get("kind", "deform")
    called, patch = plugins.name("loss", loss), own.get("patch", "none")
    compares = plugins.patches(loss)
    if not compares and (patch not in ("none", None) or kind == "gaze"):
        option = f"patch={patch}" if patch not in ("none", None) else "views='gaze'"
        raise WiringError(
            f"{option} with loss={called!r}",
            "a loss that compares patches, clapp or gaze",
            "leave it out, or write loss='gaze'",
        )
    if "deformation" in own and (compares or kind != "deform"):
        raise WiringError(
            f"deformation={own['deformation']!r} with views by {'gaze' if compares else kind}",
            "views by deform",
            "leave it out, or write views='deform' with a loss of two views",
            argument="deformation",
        )


def _patches(loss: object, wanted: Tables, filled: Mapping[str, Any]) -> Tables:
    """What a loss that compares patches asks for.

    Raises:
        WiringError: options that do not go with patches, or pictures without a known way to cut them.
    """
    own, called = wanted.get("views", {}), plugins.name("loss", loss)
    if own.get("kind", "gaze") != "gaze" or wanted.get("rule", {}).get("block"):
        option = "block=True" if wanted.get("rule", {}).get("block") else f"views={written(own['kind'])}"
        raise WiringError(
            f"{option} with loss={called!r}", "patches of one picture, all of which learn", "leave it out"
        )
    data = plugins.name("data", filled.get("data", {}).get("name", "toys"))
    views = _values("views", filled.get("views", {}))
    patch, crop = views.get("patch"), views.get("crop") or plugins.side(data)
    if patch is None:
        raise WiringError(
            f"loss={called!r} with data={data!r}, which has no size of patches",
            "data='stl10' (patches of 16), or the size of a patch",
            "write patch=8, or take another loss",
        )
    if crop is None:
        raise WiringError(
            f"loss={called!r} with data={data!r} and no crop",
            "the size of what is cut into patches",
            "write crop=N, the rows of a picture",
        )
    grid(crop, patch)
    seen = {"kind": "gaze", "patch": patch, "crop": crop, "grey": own.get("grey", True)}
    return {"rule": {"block": False}, "views": seen}
