"""How views of a picture are made: one file a deformation; adding a file adds a deformation.

A file holds a frozen dataclass derived from `neurosim.data.views.base.Deformation`: its strengths, the kernel of its effect
(which may stand in the same file) and the draw of every view's own parameters. `framing` crops, and cuts patches. A
deformation outside this package is named ``module:Class``, or by an entry point in the group ``neurosim.data.views``.
"""

from neurosim.core.plugins import Registry
from neurosim.data.views.base import Deformation

REGISTRY: Registry[Deformation] = Registry(
    "deformation",
    "neurosim.data.views",
    Deformation,  # type: ignore[type-abstract]
    example="affine",
)
available, installed, find = REGISTRY.available, REGISTRY.installed, REGISTRY.find
options, make = REGISTRY.options, REGISTRY.make
