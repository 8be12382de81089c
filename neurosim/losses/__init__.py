"""Losses: how two views' activities are compared. One file a loss; adding a file adds a loss."""

import importlib
import inspect
import pkgutil

from neurosim.errors import WiringError
from neurosim.losses.base import Loss


def available() -> dict[str, type[Loss]]:
    """Name -> class of every loss in this folder."""
    found = {}
    for entry in pkgutil.iter_modules(__path__):
        for _, thing in inspect.getmembers(importlib.import_module(f"{__name__}.{entry.name}"), inspect.isclass):
            if issubclass(thing, Loss) and thing is not Loss:
                found[thing.name] = thing
    return found


def options(name: str) -> list[str]:
    """The options that a loss takes.

    Raises:
        WiringError: an unknown loss.
    """
    known = available()
    if name not in known:
        raise WiringError(f"unknown loss {name!r}", "one of " + ", ".join(sorted(known)), "write --loss hinge")
    return list(inspect.signature(known[name]).parameters)


def patches(name: str) -> bool:
    """Whether a loss compares the patches of one picture instead of two views; of an unknown one `options` tells."""
    options(name)
    return available()[name].patches


def make(name: str, **given) -> Loss:
    """A loss by name; options it does not know are refused.

    Raises:
        WiringError: an unknown loss, or an option that it has not.
    """
    accepted = options(name)
    for option in given:
        if option not in accepted:
            raise WiringError(f"loss {name} has no option {option}", "one of " + (", ".join(accepted) or "none"),
                              f"leave --{option.replace('_', '-')} out")  # fmt: skip
    return available()[name](**given)
