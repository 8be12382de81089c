"""Views of vectors: entries are left out at random, as in denoising and contrastive learning of tables, and noise is added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from neurosim.core.kernel import Kernel, Kind
from neurosim.core.options import Option
from neurosim.core.typing import Array
from neurosim.data.views.base import Deformation

MIDDLE = 0.5  # what stands for an entry that is left out
_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # of splitmix64
_WORD = 2**64 - 1

corrupt = Kernel(
    "corrupt",
    kind=Kind.SEE,
    reads={"image": "sample row column channel: uint8 real", "key": "sample: int64"},
    writes={"out": "sample row column channel"},
    scalars=("masked", "spread"),
    over="sample",
    equation="out = image + spread U(-1, 1), or 0.5 with probability masked",
)


def _mixed(number: int) -> int:
    """The output function of splitmix64 (Steele, Lea, Flood 2014): 64 bits that look random, from any 64 bits."""
    number = ((number ^ number >> 30) * _FIRST) & _WORD
    number = ((number ^ number >> 27) * _SECOND) & _WORD
    return number ^ number >> 31


@corrupt.reference
def _reference(image: Array, key: Array, out: Array, *, masked: float, spread: float) -> None:
    """Entry by entry: two numbers in 0 .. 1 are made of the view's key and the entry's place.

    Args:
        image: ``(sample, row, column, channel)``, uint8 (read as value / 255) or real in 0 .. 1.
        key: int64 ``(sample,)``, at least 0.
        out: the shape of ``image``, written.
        masked: probability that an entry is left out.
        spread: half the width of the noise, in units of the range.
    """
    scale = 255 if image.dtype == np.uint8 else 1
    for sample in range(len(image)):
        pixels, seen = image[sample].reshape(-1), out[sample].reshape(-1)
        for place in range(len(pixels)):
            number = _mixed((int(key[sample]) + (place + 1) * _STEP) & _WORD)
            hidden, noise = (number >> 32) / 2**32, (number & 0xFFFFFFFF) / 2**32
            seen[place] = MIDDLE if hidden < masked else pixels[place] / scale + spread * (2 * noise - 1)


@corrupt.cpu
def _cpu(image: Array, key: Array, out: Array, *, masked: float, spread: float) -> None:
    """The same on whole arrays."""
    flat = out.reshape(len(image), -1)
    number = (np.arange(flat.shape[1], dtype=np.uint64) + np.uint64(1)) * np.uint64(_STEP) + key.astype(np.uint64)[
        :, None
    ]
    number = (number ^ number >> np.uint64(30)) * np.uint64(_FIRST)
    number = (number ^ number >> np.uint64(27)) * np.uint64(_SECOND)
    number ^= number >> np.uint64(31)
    hidden, noise = (number >> np.uint64(32)) / 2**32, (number & np.uint64(0xFFFFFFFF)) / 2**32
    pixels = image.reshape(flat.shape) / (255 if image.dtype == np.uint8 else 1)
    flat[...] = np.where(hidden < masked, MIDDLE, pixels + spread * (2 * noise - 1))


@dataclass(frozen=True)
class Corrupt(Deformation):
    """Every entry is left out with a probability, or gets noise; nothing is moved, so that it suits vectors and tables.

    Masking noise is Vincent et al. 2008; two corrupted views of a row of a table are compared by Bahri et al. 2022. What is
    left out is in the middle of the range.

    Args:
        masked: probability that an entry is left out.
        spread: noise is U(-spread, spread).
    """

    masked: Annotated[float, Option("Probability that an entry is left out.", low=0, high=1)] = 0.2
    spread: Annotated[float, Option("Half the width of the noise.", unit="ranges of an entry", low=0)] = 0.1

    name = "corrupt"
    kernel = corrupt

    @property
    def scalars(self) -> Mapping[str, object]:
        """What is the same for all views."""
        return {"masked": self.masked, "spread": self.spread}

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Array]:
        """A key a view, from which the numbers of its entries are made: as many are drawn however long a vector is."""
        return {"key": rng.integers(0, 2**63 - 1, count, dtype=np.int64)}
