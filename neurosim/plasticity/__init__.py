"""Plasticity: how a synapse turns the outer products of a batch into a lasting change. Elementwise, per synapse.

One file a kind, with its kernel; adding a file adds a kind: a class derived from `neurosim.plasticity.base.Plasticity`
with a ``name``, and a test in ``tests/plasticity``. A kind outside this package is named ``module:Class``, or by an entry
point in the group ``neurosim.plasticity``.
"""

from neurosim.core.plugins import Registry
from neurosim.plasticity.base import Plasticity

REGISTRY = Registry("plasticity", "neurosim.plasticity", Plasticity, example="signum")
available, installed, find = REGISTRY.available, REGISTRY.installed, REGISTRY.find
options, make = REGISTRY.options, REGISTRY.make
