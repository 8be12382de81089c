"""How strongly views are deformed, and the draw of every view's own parameters."""

import math
from dataclasses import dataclass

import numpy as np

from neurosim.errors import WiringError

# Random numbers a view takes: four matrix entries, two shifts, saturation, hue, flip.
_DRAWS = 9


@dataclass(frozen=True)
class Deformation:
    """The strength of each deformation; the defaults are the published ones (Tang, Yang, Amit 2022).

    Args:
        scale: matrix entries are those of the identity + U(-scale, scale).
        shift: shifts are U(-shift, shift), in units of half the image.
        saturation: the saturation's factor is 2 ** U(-saturation, saturation): octaves.
        hue: the hue's shift is U(-hue, hue), in turns.
        flip: probability that the columns are reversed.
        border: outside of the image is its nearest border pixel, instead of 0.

    Raises:
        WiringError: a strength that is negative or not finite, a probability outside 0 .. 1.
    """

    scale: float = 0.25
    shift: float = 0.5
    saturation: float = 2.0
    hue: float = 0.1
    flip: float = 0.5
    border: bool = False

    def __post_init__(self):
        for name in ("scale", "shift", "saturation", "hue"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise WiringError(f"deformation {name} is {value}", "a number from 0 up", "0 switches it off")
        if not 0 <= self.flip <= 1:
            raise WiringError(f"deformation flip is {self.flip}", "a probability, 0 to 1", "0 switches it off")

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
        """Draws the parameters of ``count`` views, on the host, so that every device sees the same ones.

        Args:
            rng: the generator; nine numbers are taken a view, view after view, whatever the strengths. So a draw of
                n views and a draw of m give what one draw of n + m gives.
            count: how many views.

        Returns:
            The arguments of the deformation kernel by name: ``theta`` float64 ``(count, 2, 3)``, ``saturation``
            float64 ``(count,)``, ``hue`` float64 ``(count,)`` in turns, ``flip`` bool ``(count,)``.
        """
        uniform = rng.random((count, _DRAWS))
        signed = 2.0 * uniform - 1.0
        theta = np.empty((count, 2, 3))
        theta[:, :, :2] = np.eye(2) + self.scale * signed[:, 0:4].reshape(count, 2, 2)
        theta[:, :, 2] = self.shift * signed[:, 4:6]
        return {
            "theta": theta,
            "saturation": np.exp2(self.saturation * signed[:, 6]),
            "hue": self.hue * signed[:, 7],
            "flip": uniform[:, 8] < self.flip,
        }


# No deformation: what it draws leaves an image as it is.
IDENTITY = Deformation(scale=0.0, shift=0.0, saturation=0.0, hue=0.0, flip=0.0)
