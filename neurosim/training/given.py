"""What is given from Python and not by name: data, rules, losses, networks; and what a saved run lets one change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim import losses, rules
from neurosim import plasticity as plasticities
from neurosim.data import views
from neurosim.data.sources import loading
from neurosim.data.sources.base import Source
from neurosim.errors import RunError
from neurosim.networks import presets
from neurosim.networks.network import Network
from neurosim.networks.text import written
from neurosim.plasticity.base import Plasticity
from neurosim.rules.base import Rule
from neurosim.training.sections import label_numbers

if TYPE_CHECKING:
    from neurosim.training.config import Config
    from neurosim.training.folder import Run

KINDS = (
    "rule",
    "loss",
    "plasticity",
    "network",
    "deformation",
    "data",
)  # what may be given as a class, a factory or an object
RESUMED = ("epochs", "threads", "diagnose_every", "track")  # what may be changed where training goes on
# Of a saved run.
CHANGEABLE = (*RESUMED, "device", "precision", "readout", "readout_images", "labels", "data_dir")

_NAMES: dict[str, Callable[[object], str]] = {
    "rule": rules.REGISTRY.name,
    "loss": losses.REGISTRY.name,
    "plasticity": plasticities.REGISTRY.name,
    "deformation": views.REGISTRY.name,
}


def apart(keywords: dict[str, Any]) -> tuple[dict[str, object], dict[str, Any]]:
    """What was given from Python, by kind, and the keywords with what stands for it in a configuration.

    Args:
        keywords: of an experiment.

    Raises:
        DataError, RunError: what cannot be used.
    """
    words = {name: value for name, value in keywords.items() if value is not None}
    given = {kind: words[kind] for kind in KINDS if kind in words and not isinstance(words[kind], str | Path)}
    if "data" in given:
        given["data"] = source = _source(given["data"])
        words["data"] = source.asked
        kind = words.get("deformation", "affine")
        for option, value in source.strengths.get(
            kind if isinstance(kind, str) else views.REGISTRY.name(kind), {}
        ).items():
            words.setdefault(option, value)
    if "network" in given and not isinstance(given["network"], Network):
        words["network"] = _of_preset(given.pop("network"))
    rule = given.get("rule")
    if isinstance(rule, Rule):
        for other, own in (("network", rule.network), ("loss", rule.loss)):
            if words.setdefault(other, own) is not own:
                raise RunError(
                    f"{other}= beside a rule that is wired already", f"the rule's own {other}", f"leave {other} out"
                )
        given |= {"network": rule.network, "loss": rule.loss}
    if isinstance(words.get("plasticity"), Plasticity):
        words.setdefault("rate", words["plasticity"].base_rate)
    network = words.get("network")
    if isinstance(network, Network):
        words |= _of_network(network, words)
    return given, words


def _source(data: object) -> Source:
    """Data that were given from Python: what `neurosim.data.sources.loading.find` takes, or ``(images, labels)``."""
    if isinstance(data, tuple | list) and len(data) in (1, 2):
        data = dict(zip(("images", "labels"), map(np.asarray, data), strict=False))
    return loading.find(data)


def _of_preset(preset: object) -> str:
    """What stands for a preset that was given from Python: a name that finds it again, else its text."""
    name = presets.REGISTRY.name(preset)
    return written(preset) if name.startswith("<") else name


def names(given: Mapping[str, object]) -> dict[str, str]:
    """What stands in a configuration for things that were given from Python: ``<...>`` where no file can hold them."""
    found = {}
    for kind, thing in given.items():
        if isinstance(thing, Source):
            found[kind] = thing.asked
        elif isinstance(thing, Network):
            found[kind] = str(thing)
        else:
            found[kind] = _NAMES[kind](thing)
    return found


def _of_network(network: Network, words: dict[str, Any]) -> dict[str, Any]:
    """The keywords that a network which is there already settles.

    Raises:
        RunError: another value was given.
    """
    plasticity = network.plasticity
    own = {
        "batch": network.pairs,
        "block": network.block,
        "seed": network.seed,
        "precision": str(network.dtype),
        "plasticity": plasticities.REGISTRY.name(type(plasticity)),
        "rate": plasticity.base_rate,
        **{name: getattr(plasticity, name) for name in ("momentum", "decay") if hasattr(plasticity, name)},
    }
    for name, value in own.items():
        if words.get(name, value) != value:
            raise RunError(
                f"{name}={words[name]!r} beside a network that has {value!r}",
                "the network's own",
                f"leave {name} out, or make the network with it",
            )
    return {**own, "network": str(network)}


def changed(config: Config, keywords: dict[str, Any]) -> Config:
    """A saved configuration with some words changed.

    Raises:
        RunError: one that must stay as it was.
    """
    known = config.flat()
    words = {k: v for k, v in keywords.items() if k not in KINDS and known.get(k) != v}
    for name in words:
        if name not in CHANGEABLE:
            raise RunError(
                f"{name}={words[name]!r} for a run that is there",
                "only " + ", ".join(CHANGEABLE),
                f"leave {name} out, or train anew",
            )
    epochs = words.get("epochs", config.training.epochs)
    if epochs < config.training.epochs:
        raise RunError(f"epochs={epochs} for a run of {config.training.epochs}", "at least as many", "leave epochs out")
    order = config.rule.options.get("order")
    if epochs > config.training.epochs and order in ("greedy", "random"):
        raise RunError(
            f"epochs={epochs} for a run in order {order}",
            "a rule that trains all layers at once",
            "train anew: its order is laid out for all epochs from the start",
        )
    falls = config.plasticity.schedule
    if epochs > config.training.epochs and falls != "constant":
        raise RunError(
            f"epochs={epochs} for a run of {config.training.epochs} whose rate falls along a {falls} over all of them",
            "schedule constant, where more epochs go on as if they had been asked for at once",
            f"train anew with epochs={epochs}",
        )
    if words.get("device") == "cpu" and config.training.precision == "tf32":
        words.setdefault("precision", "float32")  # what a CPU has
    if words.get("labels", "standard") != "standard":
        words.setdefault("readout_images", max(10, *label_numbers(words["labels"])))
    elif "readout_images" in words:
        words.setdefault("labels", "standard")
    return config.replace(**words)


def anchored(config: Config, home: str) -> dict[str, str]:
    """Words of the data whose relative paths count from a folder, made absolute; none where they lead nowhere.

    Args:
        config: of a run.
        home: the folder in which the process worked that began it; empty: unknown.
    """
    data = config.data
    kind, colon, place = data.name.rpartition(":")
    named = not colon and "/" not in place and "." not in place  # toys, cifar10
    found = {}
    for word, before, path in (("data", kind + colon, "" if named else place), ("data_dir", "", data.dir or "")):
        there = Path(home, path)
        if home and path and not path.startswith("~") and not Path(path).is_absolute() and there.exists():
            found[word] = before + str(there)
    return found


def same(run: Run, given: Mapping[str, object], words: Mapping[str, Any]) -> dict[str, str]:
    """What stands in a saved run's configuration for things that are given once more.

    Args:
        run: that is made again.
        given, words: as `apart` gave them.

    Raises:
        RunError: one that no file holds is not given, or another one is.
    """
    named = {kind: str(words[kind]) for kind in KINDS if kind in words} | names(given)
    known = run.config.flat()
    for kind in KINDS:
        saved = known[kind]
        if named.get(kind, saved) != saved and not (kind == "data" and saved.startswith("<")):
            raise RunError(f"{kind} {named[kind]} for a run of {saved}", "the same again", f"leave {kind} out")
        if (
            saved.startswith("<") and kind not in named and kind != "data"
        ):  # `Experiment.data` asks where data are needed
            raise RunError(
                f"the {kind} of {run.folder} was given from Python ({saved})",
                "the same again, which no file holds",
                f"write load({str(run.folder)!r}, {kind}=...)",
            )
    return names(given)
