"""The views of SimCLR (Chen et al. 2020): resized crop, flip, colour jitter 0.8, 0.8, 0.8, 0.2 and grey."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from neurosim.core.options import Option
from neurosim.core.typing import Array
from neurosim.data.views.base import Deformation


@dataclass(frozen=True)
class Simclr(Deformation):
    """The strength of each deformation; the defaults are the published ones.

    Args:
        area: least area of the crop, of the whole image.
        ratio: largest width over height of the crop; the least is its inverse.
        jitter: brightness, contrast and saturation are multiplied by 1 + U(-jitter, jitter), never below 0.
        hue: the hue's shift is U(-hue, hue), in turns.
        jittered: probability that colours are changed at all.
        greyed: probability that colour is taken away.
        flip: probability that the columns are reversed.
    """

    area: Annotated[float, Option("Least area of the crop.", unit="images", low=1e-9, high=1)] = 0.08
    ratio: Annotated[float, Option("Largest width over height of the crop.", low=1, high=100)] = 4 / 3
    jitter: Annotated[float, Option("Of brightness, contrast and saturation: times 1 +- this.", low=0, high=100)] = 0.8
    hue: Annotated[float, Option("Largest shift of the hue.", unit="turns", low=0, high=0.5)] = 0.2
    jittered: Annotated[float, Option("Probability that colours are changed.", low=0, high=1)] = 0.8
    greyed: Annotated[float, Option("Probability that colour is taken away.", low=0, high=1)] = 0.2
    flip: Annotated[float, Option("Probability of a flip.", low=0, high=1)] = 0.5

    name = "simclr"
    kernel = "deform_simclr"

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Array]:
        """Draw the parameters of ``count`` views; 33 numbers a view, see `Deformation.draw`.

        A crop of a drawn area and shape may not fit into the image: of ten such draws the first that does is taken, else
        the whole image (as torchvision does, but for its rounding to whole pixels).
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
            "brightness": factors[:, 0],
            "contrast": factors[:, 1],
            "saturation": factors[:, 2],
            "hue": np.where(touched, self.hue * (2 * rest[:, 6] - 1), 0.0),
            "order": rest[:, 7:11].argsort(axis=1),
            "grey": rest[:, 11] < self.greyed,
            "flip": rest[:, 12] < self.flip,
        }
