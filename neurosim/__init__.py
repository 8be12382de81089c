"""neurosim: deep networks that learn without labels as a brain might.

    import neurosim as ns

    experiment = ns.Experiment(rule="ll", data="toys", epochs=2, seed=1)
    experiment.fit()
    print(experiment.readout())

`Experiment` takes the words of the command line; `load` makes one again from its folder. By hand, part by part: `Network`,
`rules`, `losses`, `plasticity`, `audit`. Nothing is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"
__all__ = ["Dataset", "Experiment", "Network", "audit", "errors", "export", "load", "losses", "plasticity", "rules"]

if TYPE_CHECKING:
    from neurosim import audit, errors, export, losses, plasticity, rules
    from neurosim.data.dataset import Dataset
    from neurosim.experiment import Experiment, load
    from neurosim.networks.network import Network

# Name -> the file that it is in; every other name is a room.
_HOMES = {"Dataset": "data.dataset", "Experiment": "experiment", "load": "experiment", "Network": "networks.network"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
