"""Networks known by a name, one file each: adding a file adds a preset.

A file holds a class derived from `neurosim.networks.presets.base.Preset`. A preset outside this package is named
``module:Class``, or by an entry point in the group ``neurosim.networks.presets``.
"""

from neurosim.core.plugins import Registry
from neurosim.networks.presets.base import Preset

REGISTRY = Registry("network", "neurosim.networks.presets", Preset, example="small")
available, installed, find = REGISTRY.available, REGISTRY.installed, REGISTRY.find
options, make = REGISTRY.options, REGISTRY.make
