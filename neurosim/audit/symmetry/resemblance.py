"""How far a map of errors resembles the transpose of a map of activities, and whether chance can have made it.

Both are matrices ``(postsynaptic unit, presynaptic unit)``: what one unit of error above delivers to every unit below, and what
every unit below sends to that unit above. What all synapses of a unit have in common (its sign, by Dale's law; its size) is
taken away first: two populations may each have their own. Chance is measured on the same numbers in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.symmetry.chance import (
    FEW,
    beyond_chance,
    centred,
    cosine,
    distinct,
    is_thin,
    limited,
    reordered,
    whole,
)

if TYPE_CHECKING:
    from neurosim.core.typing import Array

ORDERS = (12, 60)  # by which chance is measured: first by a few, and by many where these do not explain what is found
FAR = 10.0  # standard deviations of chance
MARGIN = 1.3  # times the largest that chance gave
EQUAL = 1e-5  # relative difference of ratios that are one number
MANY = 8  # equal ratios that chance does not make


@dataclass(frozen=True)
class Likeness:
    """One way in which two maps are alike.

    Args:
        how: in words.
        size: of the likeness: a correlation, a share, an overlap.
        chance: what it is by chance, as far as it is measured.
    """

    how: str
    size: float
    chance: float

    def __str__(self) -> str:
        return f"{self.how} {self.size:.3f} (chance {self.chance:.3f})"


def likenesses(delivered: Array, sent: Array, channels: int = 0, seed: int = 0) -> list[Likeness] | None:
    """Every way in which a delivered map is more like the transported one than chance.

    Args:
        delivered: ``(postsynaptic, presynaptic)``.
        sent: of the same shape.
        channels: of the presynaptic side, where it is ``place x channel``; 0: as many as there are units.
        seed: of the orders by which chance is measured.

    Returns:
        None: too few numbers, or numbers that are all alike, decide nothing.
    """
    d, s = np.asarray(delivered, float), np.asarray(sent, float)
    there = (d != 0) & (s != 0)
    if not (np.ptp(d) and np.ptp(s)) or min(there.sum(), _various(d, s)) < FEW:
        return None
    channels = channels if channels > 1 and d.shape[1] % channels == 0 else d.shape[1]
    rng = np.random.default_rng([seed, 0xDE1])
    found = [_same(d, s), *_correlated(d, s, channels, there, rng), _equal_ratios(d, s)]
    if not any(found):
        holes = bool((d == 0).any())  # gates, or synapses that are not there: in another order they would lie elsewhere
        thin = is_thin(centred(d)) and is_thin(centred(s))  # one correlation of two short vectors
        asked = [each for each in STATISTICS if (each.with_holes or not holes) and (each.when_thin or not thin)]
        found += [_beyond(each, d, s, channels, rng) for each in asked]
    return [each for each in found if each is not None]


def _various(d: Array, s: Array) -> int:
    """How many numbers there are, rows and columns that a structure repeats in both maps counted once."""
    both = np.stack([whole(x) for x in (d, s)])
    return distinct(both, 1) * distinct(both, 2)


def _same(d: Array, s: Array) -> Likeness | None:
    size = cosine(d, s)
    return Likeness("the same map, correlation", size, 0.0) if abs(size) > 1 - 1e-6 and centred(s).any() else None


def _correlated(d: Array, s: Array, channels: int, there: Array, rng: np.random.Generator) -> Iterator[Likeness | None]:
    """The numbers as they are, their signs alone, their sizes alone; where both maps have some."""
    pairs = {
        "correlation": (centred(d), centred(s)),
        "correlation of signs": (centred(np.sign(d), there), centred(np.sign(s), there)),
        "correlation of sizes": (centred(np.abs(d), there), centred(np.abs(s), there)),
    }
    for how, (one, other) in pairs.items():
        found = beyond_chance(limited(one), limited(other), channels, rng)
        yield Likeness(how, *found) if found else None


def _equal_ratios(d: Array, s: Array) -> Likeness | None:
    """The share of numbers that are those of the other map times one number: a sparse copy."""
    there = (np.abs(d) > 1e-6 * np.abs(d).max()) & (np.abs(s) > 1e-6 * np.abs(s).max())
    pairs = np.unique(np.stack([d[there], s[there]]).astype(np.float32), axis=1).astype(float)  # each pair counts once
    ratios = np.sort(pairs[0] / pairs[1])
    various = min(len(np.unique(np.round(np.abs(x[there]) / np.abs(x).max(), 6))) for x in (d, s))
    if len(ratios) < MANY or various < len(ratios) // 8 or various < MANY:
        return None  # signs, or weights that are equal: their ratios are, too
    within = np.searchsorted(ratios, ratios + EQUAL * np.abs(ratios), side="right") - np.arange(len(ratios))
    return Likeness("share of equal numbers", within.max() / len(ratios), 0.0) if within.max() >= MANY else None


# -- statistics whose chance is measured


def _inverse(d: Array, s: Array) -> float:
    """The correlation with the pseudo-inverse, whose numbers are so uneven that a small one says nothing."""
    return abs(cosine(limited(centred(d)), limited(centred(np.linalg.pinv(s, rcond=1e-4).T))))


def _by_unit(d: Array, s: Array) -> float:
    """Squared correlations unit by unit, of either side: a scale and a sign of every unit's own."""
    return max(_squares(d, s), _squares(d.T, s.T))


def _squares(d: Array, s: Array) -> float:
    if d.shape[1] < 4:
        return 0.0
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (centred(d), centred(s)))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float((((a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1)) ** 2).mean())


def _by_order(d: Array, s: Array) -> float:
    """The mean of every unit's best squared correlation with any unit of the other map: units in another order."""
    return max(_best(d, s), _best(d.T, s.T))


def _best(d: Array, s: Array) -> float:
    if d.shape[1] < 8:
        return 0.0
    a, b = (_unit_rows(limited(centred(x))) for x in (d, s))
    return float(((a @ b.T) ** 2).max(axis=1).mean())


def _unit_rows(x: Array) -> Array:
    x = x - x.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    scaled: Array = x / np.where(lengths > 0, lengths, 1)
    return scaled


def _overlap(d: Array, s: Array) -> float:
    """The share of one map that lies in the space that the other's units span: products of the weights with anything."""
    wide = d.shape[0] < d.shape[1]
    d, s = limited(centred(d)), centred(s)
    d, s = (d, s) if wide else (d.T, s.T)
    if not d.any() or not s.any():
        return 0.0
    _, sizes, rows = np.linalg.svd(s, full_matrices=False)
    rows = rows[sizes > 1e-6 * sizes[0]]
    if len(rows) >= 0.9 * s.shape[1]:
        return 0.0  # it spans nearly all: nothing is said
    return float(np.linalg.norm(d @ rows.T) ** 2 / np.linalg.norm(d) ** 2)


def _low_rank(d: Array, s: Array) -> float:
    """The share of the other map that lies in the few directions in which the delivered map is large."""
    u, sizes, rows = np.linalg.svd(centred(d), full_matrices=False)
    few = int((sizes > 1e-4 * sizes[0]).sum()) if sizes[0] else 0
    if not 0 < few <= min(d.shape) // 4:
        return 0.0
    other = centred(s)
    return float(np.linalg.norm(u[:, :few].T @ other @ rows[:few].T) ** 2 / (np.linalg.norm(other) ** 2 or 1))


@dataclass(frozen=True)
class Statistic:
    """One number of two maps, from 0 to 1, whose chance is measured.

    Args:
        of: gives it.
        how: in words.
        least: the part of the way from chance to 1 that it must go: where channels are few, their orders are, too, and chance
            is known roughly.
        with_holes: it is asked of maps with zeros, too.
        when_thin: it is asked of maps of one or two dimensions, too.
    """

    of: Callable[[Array, Array], float]
    how: str
    least: float
    with_holes: bool = False
    when_thin: bool = True


STATISTICS = (
    Statistic(_inverse, "correlation with the inverse", 0.7, with_holes=True, when_thin=False),
    Statistic(_by_unit, "squared correlation unit by unit", 0.3, when_thin=False),
    Statistic(_by_order, "squared correlation with units in another order", 0.3, when_thin=False),
    Statistic(_overlap, "share in the span of the forward weights", 0.5),
    Statistic(_low_rank, "share of the forward weights in its few directions", 0.2),
)


def _beyond(statistic: Statistic, d: Array, s: Array, channels: int, rng: np.random.Generator) -> Likeness | None:
    """A statistic that is far beyond what it is with the units of both sides in other orders."""
    size, by_chance = statistic.of(d, s), list[float]()
    if size < statistic.least:
        return None
    for count in ORDERS:
        by_chance += [statistic.of(reordered(d, channels, rng), s) for _ in range(count)]
        mean, deviation = float(np.mean(by_chance)), float(np.std(by_chance))
        sure = mean + max(FAR * max(deviation, 0.002), statistic.least * (1 - mean))
        if size <= max(sure, MARGIN * max(by_chance)):
            return None
    return Likeness(statistic.how, size, mean)
