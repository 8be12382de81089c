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
    kernel = "deform"

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


@dataclass(frozen=True)
class SimclrDeformation:
    """The views of SimCLR (Chen et al. 2020): resized crop, flip, colour jitter 0.8, 0.8, 0.8, 0.2 and grey.

    Args:
        area: least area of the crop, of the whole image.
        ratio: largest width over height of the crop; the least is its inverse.
        jitter: brightness, contrast and saturation are multiplied by 1 + U(-jitter, jitter), never below 0.
        hue: the hue's shift is U(-hue, hue), in turns.
        jittered: probability that colours are changed at all. grey: that colour is taken away. flip: of a flip.

    Raises:
        WiringError: a number out of its range.
    """

    area: float = 0.08
    ratio: float = 4 / 3
    jitter: float = 0.8
    hue: float = 0.2
    jittered: float = 0.8
    grey: float = 0.2
    flip: float = 0.5
    kernel = "deform_simclr"

    def __post_init__(self):
        for name, low, high in (("area", 1e-9, 1), ("ratio", 1, 100), ("jitter", 0, 100), ("hue", 0, 0.5), ("jittered", 0, 1),
                                ("grey", 0, 1), ("flip", 0, 1)):  # fmt: skip
            if not low <= getattr(self, name) <= high:
                raise WiringError(
                    f"deformation {name} is {getattr(self, name)}", f"a number from {low} to {high}", "leave it out"
                )

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
        """Draws the parameters of ``count`` views, on the host, so that every device sees the same ones.

        A crop of a drawn area and shape may not fit into the image: of ten such draws the first that does is taken, else
        the whole image (as torchvision does, but for its rounding to whole pixels).

        Args:
            rng: the generator; 33 numbers are taken a view, view after view, whatever the strengths.
            count: how many views.

        Returns:
            The arguments of `neurosim.kernels.reference_deformation.deform_simclr` by name.
        """
        uniform = rng.random((count, 33))
        tries, rest = uniform[:, :20].reshape(count, 10, 2), uniform[:, 20:]
        area = self.area + (1 - self.area) * tries[:, :, 0]
        shape = np.exp(math.log(self.ratio) * (2 * tries[:, :, 1] - 1))
        sides = np.sqrt(np.stack([area * shape, area / shape], axis=2))
        sides = np.concatenate([sides, np.ones((count, 1, 2))], axis=1)
        side = sides[np.arange(count), (sides <= 1).all(axis=2).argmax(axis=1)]
        theta = np.zeros((count, 2, 3))
        theta[:, [0, 1], [0, 1]] = side
        theta[:, :, 2] = (1 - side) * (2 * rest[:, 0:2] - 1)
        touched = rest[:, 2] < self.jittered
        factors = np.where(touched[:, None], np.maximum(0, 1 + self.jitter * (2 * rest[:, 3:6] - 1)), 1.0)
        return {
            "theta": theta,
            "brightness": factors[:, 0], "contrast": factors[:, 1], "saturation": factors[:, 2],
            "hue": np.where(touched, self.hue * (2 * rest[:, 6] - 1), 0.0),
            "order": rest[:, 7:11].argsort(axis=1),
            "grey": rest[:, 11] < self.grey,
            "flip": rest[:, 12] < self.flip,
        }  # fmt: skip
