"""The published deformations: an affine map, colour, and a flip (Tang, Yang, Amit 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from neurosim.core.options import Option
from neurosim.core.typing import Array
from neurosim.data.views.base import Deformation
from neurosim.kernels.views import deform

# Random numbers a view takes: four matrix entries, two shifts, saturation, hue, flip; and whether its geometry is deformed,
# where that is not sure.
_DRAWS = 9


@dataclass(frozen=True)
class Affine(Deformation):
    """The strength of each deformation; the defaults are the published ones.

    Args:
        scale: matrix entries are those of the identity + U(-scale, scale).
        shift: shifts are U(-shift, shift), in units of half the image.
        saturation: the saturation's factor is 2 ** U(-saturation, saturation): octaves.
        hue: the hue's shift is U(-hue, hue), in turns.
        flip: probability that the columns are reversed.
        border: outside of the image is its nearest border pixel, instead of 0.
        deform_share: probability that the affine map applies to a view; the others keep their geometry. The authors' code
            takes a random half of each view's images; saturation, hue and flip are drawn for all.
    """

    scale: Annotated[float, Option("Of the affine map: entries are those of the identity +- this.", low=0)] = 0.25
    shift: Annotated[float, Option("Largest shift.", unit="half images", low=0)] = 0.5
    saturation: Annotated[float, Option("Largest change of saturation.", unit="octaves", low=0)] = 2.0
    hue: Annotated[float, Option("Largest shift of the hue.", unit="turns", low=0)] = 0.1
    flip: Annotated[float, Option("Probability of a flip.", low=0, high=1)] = 0.5
    border: Annotated[bool, Option("Outside of the image is its border, instead of black.")] = False
    deform_share: Annotated[
        float, Option("Share of the views whose geometry is deformed; the authors' code: 0.5.", low=0, high=1)
    ] = 1.0

    name = "affine"
    kernel = deform

    @property
    def scalars(self) -> Mapping[str, object]:
        """Whether the border is repeated."""
        return {"border": self.border}

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Array]:
        """Draw the parameters of ``count`` views, see `Deformation.draw`; nine numbers a view, ten where some keep theirs."""
        some = self.deform_share < 1
        uniform = rng.random((count, _DRAWS + some))
        signed = 2.0 * uniform - 1.0
        theta = np.empty((count, 2, 3))
        theta[:, :, :2] = np.eye(2) + self.scale * signed[:, 0:4].reshape(count, 2, 2)
        theta[:, :, 2] = self.shift * signed[:, 4:6]
        if some:
            theta[uniform[:, _DRAWS] >= self.deform_share] = np.eye(2, 3)
        return {
            "theta": theta,
            "saturation": np.exp2(self.saturation * signed[:, 6]),
            "hue": self.hue * signed[:, 7],
            "flip": uniform[:, 8] < self.flip,
        }
