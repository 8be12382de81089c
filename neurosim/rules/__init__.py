"""Rules: who receives the error, and how. One file a rule; adding a file adds a rule."""

import importlib
import inspect
import pkgutil

from neurosim.errors import WiringError
from neurosim.rules.base import Rule


def available() -> dict[str, type[Rule]]:
    """Name -> class of every rule in this folder."""
    found = {}
    for entry in pkgutil.iter_modules(__path__):
        for _, thing in inspect.getmembers(importlib.import_module(f"{__name__}.{entry.name}"), inspect.isclass):
            if issubclass(thing, Rule) and thing.name:
                found[thing.name] = thing
    return found


def make(name: str, network, loss, **options) -> Rule:
    """A rule by name, wired into a network; options it does not know are refused, never ignored.

    Raises:
        WiringError: an unknown rule, or an option that it has not.
    """
    known = available()
    if name not in known:
        raise WiringError(f"unknown rule {name!r}", "one of " + ", ".join(sorted(known)), "write --rule ll")
    accepted = set(inspect.signature(known[name]).parameters) - {"network", "loss"}
    for option, value in options.items():
        if option not in accepted:
            raise WiringError(f"rule {name} has no option {option.replace('_', '-')} (met {value!r})",
                              "options " + ", ".join(sorted(accepted)).replace("_", "-") if accepted else "no option",
                              f"leave --{option.replace('_', '-')} out, or choose another --rule")  # fmt: skip
    return known[name](network, loss, **options)
