"""Rules: who receives the error, and how. One file a rule; adding a file adds a rule.

A rule outside this package is named ``module:Class`` (``mylab.rules:MyRule``), or by the entry point that its package
declares in the group ``neurosim.rules``.
"""

import importlib
import importlib.metadata
import inspect
import pkgutil
import sys
import traceback

from neurosim.errors import WiringError
from neurosim.rules.base import Rule

GROUP = "neurosim.rules"  # of entry points in other packages


def available() -> dict[str, type[Rule]]:
    """Name -> class of every rule in this folder."""
    found = {}
    for entry in pkgutil.iter_modules(__path__):
        for _, thing in inspect.getmembers(importlib.import_module(f"{__name__}.{entry.name}"), inspect.isclass):
            if issubclass(thing, Rule) and thing.name:
                found[thing.name] = thing
    return found


def installed() -> dict[str, str]:
    """Name -> ``module:Class`` of every rule that another installed package declares; nothing is imported.

    Raises:
        WiringError: two packages declare one name, or one declares a name of this folder.
    """
    found: dict[str, str] = {}
    own = available()
    for entry in importlib.metadata.entry_points(group=GROUP):
        other = own[entry.name].__module__ if entry.name in own else found.get(entry.name, entry.value)
        if other != entry.value:
            raise WiringError(
                f"the rule {entry.name} is declared twice, by {other} and by {entry.value}",
                f"one rule a name in the group {GROUP}",
                "uninstall one of the two, or write module:Class",
            )
        found[entry.name] = entry.value
    return found


def find(name: str) -> type[Rule]:
    """The class of a rule: by its name here, by an entry point's name, or as ``module:Class``.

    The current folder is searched after everything installed, so that ``mylab/rules.py`` below it is found.

    Raises:
        WiringError: an unknown rule; a file that is missing or fails while it is imported; a class that is missing or
            is no rule.
    """
    known = available()
    if name in known:
        return known[name]
    if ":" in name:
        return _outside(name)
    others = installed()
    if name not in others:
        told = ", ".join(sorted(known | others))
        raise WiringError(f"unknown rule {name!r}", f"one of {told}", "write --rule ll, or module:Class for one of your own")
    return _outside(others[name])


def _outside(name: str) -> type[Rule]:
    place, _, word = name.partition(":")
    if not all(part.isidentifier() for part in [*place.split("."), word]):
        raise WiringError(f"the rule {name!r}", "module:Class with one colon", "write --rule mylab.rules:MyRule")
    thing = getattr(imported(place, f"the rule {name}"), word, None)
    if not (inspect.isclass(thing) and issubclass(thing, Rule)):
        met = f"{place} has no {word}" if thing is None else f"{name} is {_kind(thing)}"
        there = [key for key, value in vars(sys.modules[place]).items()
                 if inspect.isclass(value) and issubclass(value, Rule) and value.__module__ == place]  # fmt: skip
        raise WiringError(met, "a class derived from neurosim.rules.Rule",
                          f"write {place}:{there[0]}" if there else f"derive one in {place}")  # fmt: skip
    if not thing.name:
        thing.name = word
    return thing


def _kind(thing) -> str:
    return "a class that derives from no rule" if inspect.isclass(thing) else f"of type {type(thing).__name__}"


def imported(place: str, name: str):
    """Import a file of the user's; the current folder is searched last.

    Args:
        place: dotted, ``mylab.rules``.
        name: what was asked for, as the message tells it: ``the rule mylab.rules:MyRule``.

    Raises:
        WiringError: the file is missing, or fails while it is imported; with its line.
    """
    if "" not in sys.path:
        sys.path.append("")  # the folder of this moment; "." would stay the folder of the first import
    importlib.invalidate_caches()
    try:
        return importlib.import_module(place)
    except Exception as problem:
        if isinstance(problem, ModuleNotFoundError) and (place + ".").startswith(f"{problem.name}."):
            raise WiringError(f"{name} names {place}, and there is no {problem.name}",
                              "a file that Python finds from this folder or among what is installed",
                              f"run from the folder that holds {place.split('.')[0]}, or install it") from None  # fmt: skip
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        file, line = getattr(problem, "filename", None) or frame.filename, getattr(problem, "lineno", None) or frame.lineno
        raise WiringError(f"{place} fails while it is imported ({type(problem).__name__}: {problem}; {file}, line {line})",
                          "a file that can be imported", f"mend it: python -c 'import {place}' shows all") from problem  # fmt: skip


def make(name: str, network, loss, **options) -> Rule:
    """A rule by name, wired into a network; options it does not know are refused, never ignored.

    Raises:
        WiringError: an unknown rule (see `find`), or an option that it has not.
    """
    kind = find(name)
    parameters = inspect.signature(kind).parameters
    if not {"network", "loss"} <= parameters.keys():
        raise WiringError(f"rule {name} takes ({', '.join(parameters)})", "a constructor that takes network and loss",
                          "write def __init__(self, network, loss)")  # fmt: skip
    accepted = set(parameters) - {"network", "loss"}
    for option, value in options.items():
        if option not in accepted:
            raise WiringError(f"rule {name} has no option {option.replace('_', '-')} (met {value!r})",
                              "options " + ", ".join(sorted(accepted)).replace("_", "-") if accepted else "no option",
                              f"leave --{option.replace('_', '-')} out, or choose another --rule")  # fmt: skip
    missing = [
        parameter.name for parameter in parameters.values()
        if parameter.default is parameter.empty and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and parameter.name not in {"network", "loss", *options}
    ]  # fmt: skip
    if missing:
        raise WiringError(f"rule {name} was not given {missing[0]}", "a value for every option without a default",
                          f"write --{missing[0]}, or give it a default")  # fmt: skip
    return kind(network, loss, **options)
