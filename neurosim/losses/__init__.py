"""Losses: how two views' activities are compared. One file a loss; adding a file adds a loss.

A loss outside this package is named ``module:Class``, or by an entry point in the group ``neurosim.losses``.
"""

from neurosim.core.plugins import Registry
from neurosim.losses.base import Loss

REGISTRY = Registry("loss", "neurosim.losses", Loss, example="hinge")
available, installed, find = REGISTRY.available, REGISTRY.installed, REGISTRY.find
options, make = REGISTRY.options, REGISTRY.make


def __getattr__(word: str) -> type[Loss]:
    return REGISTRY.attribute(word)


def __dir__() -> list[str]:
    return sorted([*globals(), *(found.__name__ for found in available().values())])
