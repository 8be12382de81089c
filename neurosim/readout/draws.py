"""Which labels a read-out may see: how many, and draws of so many, balanced over classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from neurosim.core.typing import Array
from neurosim.errors import DataError
from neurosim.readout import few

STANDARD = (100, 500, 2000)  # numbers of labels below the largest
_DRAWS = {200: 10, 1000: 3}  # up to so many labels -> draws of them
Draws: TypeAlias = Mapping[int, Sequence[Array]]  # number of labels -> rows of the labelled images, a draw each


def numbers(asked: Sequence[int] | None, available: int, classes: int) -> tuple[int, ...]:
    """The numbers of labels of a curve, fewest first; the last are all that may be seen.

    Args:
        asked: those below; None: of `STANDARD` those that hold two images a class.
        available: labelled images that may be seen.
        classes: how many.

    Raises:
        DataError: fewer than one image a class.
    """
    if asked is None:
        asked = [count for count in STANDARD if count >= 2 * classes]
    elif min(asked) < classes:
        raise DataError(
            f"labels={min(asked)} for {classes} classes", f"{classes} or more", f"write labels={10 * classes}"
        )
    return tuple(sorted({count for count in asked if count < available} | {available}))


def draw(labels: Array, counts: Sequence[int], classes: int, seed: int) -> Draws:
    """Draws of labelled images, a function of seed and number alone; the last number is all of them, once.

    Args:
        labels: ``(sample,)``, of all that may be seen.
        counts: as `numbers` gives them.
        classes: how many.
        seed: of the draws.
    """
    found: dict[int, Sequence[Array]] = {}
    for count in counts[:-1]:
        times = next((times for most, times in _DRAWS.items() if count <= most), 1)
        seeds = ([seed, ord("L"), count, number] for number in range(times))
        found[count] = [balanced(labels, count, classes, np.random.default_rng(each)) for each in seeds]
        if count > few.FOLDED:
            found[count] = [rows[few.ordered(labels[rows], seed)] for rows in found[count]]
    found[counts[-1]] = [np.arange(len(labels))]
    return found


def balanced(labels: Array, count: int, classes: int, random: np.random.Generator) -> Array:
    """So many rows, as many of every class as can be: those that are left over go to classes at random."""
    order = random.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    sizes = np.bincount(labels, minlength=classes)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # among its class
    turn = random.permutation(classes)[labels[order]]
    return np.sort(order[np.lexsort((turn, place))[:count]])
