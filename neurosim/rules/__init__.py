"""Rules: who receives the error, and how. One file a rule; adding a file adds a rule.

A rule a layer is their names with commas between, bottom first: ``hebb,ll,ll`` (`neurosim.rules.mixed`).

A rule outside this package is named ``module:Class`` (``mylab.rules:MyRule``), or by the entry point that its package
declares in the group ``neurosim.rules``.
"""

from collections.abc import Callable

from neurosim.core.plugins import Registry
from neurosim.rules.base import Rule


class _Rules(Registry[Rule]):
    """The registry of rules, in which several names make a rule a layer."""

    def find(self, thing: object) -> Callable[..., Rule]:
        if isinstance(thing, str) and "," in thing:
            from neurosim.rules.mixed import mixed

            return mixed(thing)
        return super().find(thing)


REGISTRY = _Rules("rule", "neurosim.rules", Rule, fixed=("network", "loss"), example="ll")
GROUP = REGISTRY.group
available, installed, find = REGISTRY.available, REGISTRY.installed, REGISTRY.find
options, make = REGISTRY.options, REGISTRY.make


def __getattr__(word: str) -> type[Rule]:
    return REGISTRY.attribute(word)


def __dir__() -> list[str]:
    return sorted([*globals(), *(found.__name__ for found in available().values())])
