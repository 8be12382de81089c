"""How far a feedback array resembles its forward array, and whether that can be chance (condition iii).

An array drawn by itself stands at a right angle to any other, give or take ``1/sqrt(size)``. A copy is found whether or
not it shares memory: transposed, turned, scaled, its signs alone, its numbers in another order, its inverse, or rotated.
After training, ``urf`` has come near its forward weights by its own outer products, as Amit (2019) describes: then the
angle is reported, and only an exact copy counts. What mixes the forward weights past recognition (a random matrix times
them) is not found here: that is for the graph and for the intervention.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.symmetry.chance import (
    FEW,
    SURE,
    beyond_chance,
    centred,
    cosine,
    different,
    dimensions,
    limited,
    pearson,
)

if TYPE_CHECKING:
    from neurosim.core.typing import Array

DRAWS = 20  # of what chance gives; of large arrays fewer, as it hardly varies
LARGE = 1 << 16
CHANNELS = 256  # whose singular values are compared: of all 1024 of a layer they would take a minute
FEW_SIGNS = 15  # that all of so many agree, or none, happens once in 16,000 pairs
EXACT = 1e-5  # relative; float32 keeps 1e-7 of a number


@dataclass(frozen=True)
class Symmetry:
    """A feedback array against its forward array.

    Parameters:
        ==================== ======= ====================================================== ===========
        name                 unit    math                                                   by chance
        ==================== ======= ====================================================== ===========
        angle                degrees acos(<B, W> / (|B| |W|)); None where shapes differ     chance_angle
        correlation          1       Pearson's, of the numbers; of the nearest arrangement  chance_correlation
        signs                1       share of equal signs, same arrangement                 0.5
        spectrum             1       distance of the singular values, each of length 1      chance_spectrum
        ==================== ======= ====================================================== ===========

    Args:
        chance_angle: mean and standard deviation over random orders of the feedback's own numbers.
        chance_correlation: the largest in size over such orders.
        chance_spectrum: mean over such orders.
        arrangement: ``as it is``, ``transposed``, ``turned`` ...: how the forward array resembles the feedback most.
        shared: both lie in the same memory.
        verdict: ``violated``; ``independent``; ``learned``: near, after training, and no copy; ``undecided``: too few or
            constant numbers.
        how: ``copy``, ``transpose``, ``scaled copy``, ``sign copy``, ``permuted``, ``partial copy``, ``inverse``,
            ``rotated``, ``magnitude copy``, ``correlated`` or ``none``.
    """

    angle: float | None
    correlation: float
    signs: float
    spectrum: float
    chance_angle: tuple[float, float]
    chance_correlation: float
    chance_spectrum: float
    arrangement: str
    shared: bool
    verdict: str
    how: str

    def __str__(self) -> str:
        angle = "no angle (shapes differ)" if self.angle is None else f"{self.angle:.1f} degrees"
        mean, deviation = self.chance_angle
        return (
            f"{self.verdict}{'' if self.how == 'none' else f' ({self.how}, {self.arrangement})'}: {angle} "
            f"(chance {mean:.1f} +- {deviation:.1f}), correlation {self.correlation:+.3f} (chance up to "
            f"{self.chance_correlation:.3f}), spectrum {self.spectrum:.3f} (chance {self.chance_spectrum:.3f})"
        )


def compare(feedback: Array, forward: Array, trained: bool = False, seed: int = 0) -> Symmetry:
    """Compare a feedback array with the forward array that it goes along.

    Args:
        feedback: its weights; may be stored transposed, ``(row, column, out, in)`` or ``(postsynaptic, presynaptic)``.
        forward: ``(row, column, in, out)`` of convolutions or ``(presynaptic, postsynaptic)`` of heads.
        trained: something was learned since they were drawn.
        seed: of the orders that chance is measured by.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> forward, other = rng.normal(size=(2, 40, 8))
        >>> compare(other, forward).verdict, compare(-3 * forward.T, forward).how
        ('independent', 'scaled copy')
    """
    b, w = np.asarray(feedback, float), np.asarray(forward, float)
    forms = arrangements(w, b.shape)
    nearest, near, correlation = _nearest(b, forms)
    own = _spectrum(w)
    chance = _chance(b, w if w.shape == b.shape else near, near, own, seed)
    spectrum = _spectral_distance(_spectrum(b), own)
    how, arrangement = _exact(b, forms)
    if how == "none" and not trained and min(b.size, w.size) >= FEW:
        how, arrangement = _alike(b, w, forms, abs(correlation), spectrum, chance.least_spectrum), nearest
    shared = bool(np.shares_memory(feedback, forward))
    verdict = _verdict(b, w, how != "none" or shared, trained, correlation)
    return Symmetry(
        angle=_angle(b, w) if w.shape == b.shape else None,
        correlation=correlation,
        signs=_equal_signs(b, near),
        spectrum=spectrum,
        chance_angle=chance.angle,
        chance_correlation=chance.correlation,
        chance_spectrum=chance.spectrum,
        arrangement=arrangement,
        shared=shared,
        verdict=verdict,
        how=how,
    )


def _nearest(b: Array, forms: dict[str, Array]) -> tuple[str, Array, float]:
    """The arrangement that the feedback correlates with most: its name, the array, the correlation."""
    correlations = {name: pearson(b, form) for name, form in forms.items()}
    best = max(correlations, key=lambda name: abs(correlations[name]), default="as it is")
    return best, forms.get(best, np.zeros_like(b)), correlations.get(best, 0.0)


def _verdict(b: Array, w: Array, violated: bool, trained: bool, correlation: float) -> str:
    if violated:
        return "violated"
    if b.size < FEW or not (np.ptp(b) and np.ptp(w)):
        return "undecided"
    return "learned" if trained and abs(correlation) > SURE / np.sqrt(b.size) else "independent"


@dataclass(frozen=True)
class _Chance:
    """What chance gives: over random orders of the feedback's own numbers."""

    angle: tuple[float, float]  # mean and standard deviation
    correlation: float  # the largest in size
    spectrum: float  # mean
    least_spectrum: float


def _chance(b: Array, same: Array, near: Array, own: Array, seed: int) -> _Chance:
    """What chance gives for the angle to ``same``, the correlation with ``near`` and the distance to the spectrum ``own``."""
    rng = np.random.default_rng([seed, 0xA11])
    large = b.size >= LARGE
    orders = [rng.permutation(b.ravel()).reshape(b.shape) for _ in range(3 if large else DRAWS)]
    angles = [_angle(order, same) for order in orders]
    correlations = [abs(pearson(order, near)) for order in orders]
    spectra = [_spectral_distance(_spectrum(order), own) for order in (orders[:1] if large else orders)]
    angle = float(np.mean(angles)), float(np.std(angles))
    return _Chance(angle, max(correlations), float(np.mean(spectra)), min(spectra))


def arrangements(forward: Array, shape: tuple[int, ...]) -> dict[str, Array]:
    """Every way to lay the forward array over an array of a shape: transposed channels, turned and mirrored kernels."""
    if forward.size != np.prod(shape):
        return {}
    turns = {"": forward}
    if forward.ndim == 4 and forward.shape[0] == forward.shape[1]:
        for times, mirrored in product(range(4), (False, True)):
            words = [f"turned {90 * times}"] * (times > 0) + ["mirrored"] * mirrored
            turns[" ".join(words)] = np.rot90(forward[:, ::-1] if mirrored else forward, times)
    forms: dict[str, Array] = {}
    for turned, array in turns.items():
        swapped = array.swapaxes(-1, -2) if array.ndim > 1 else array
        for word, form in (("", array), ("transposed", swapped)):
            if form.shape == tuple(shape):
                forms.setdefault(" ".join(filter(None, (word, turned))) or "as it is", form)
    if not forms:
        forms = {"reshaped": forward.reshape(shape), "transposed reshaped": forward.T.reshape(shape)}
    return forms


def _exact(b: Array, forms: dict[str, Array]) -> tuple[str, str]:
    """A copy, at any scale and in any order of its numbers, and the arrangement in which it is one."""
    if not b.any():
        return "none", "as it is"
    for name, form in forms.items():
        scale = float(np.vdot(form, b) / (np.vdot(form, form) or 1))
        few = (slice(0, 3),) * b.ndim  # most arrays differ in a corner
        if np.abs(b[few] - scale * form[few]).max() > EXACT * np.abs(b).max():
            continue
        if np.abs(b - scale * form).max() <= EXACT * np.abs(b).max():
            if abs(scale - 1) > EXACT:
                return "scaled copy", name
            return ("transpose" if name.startswith("transposed") else "copy"), name
    first = next(iter(forms), "as it is")
    if forms and b.size >= 8 and _various(b):
        ordered, other = np.sort(np.abs(b), axis=None), np.sort(np.abs(forms[first]), axis=None)
        if np.abs(ordered - other * (ordered[-1] / (other[-1] or 1))).max() <= 1e-6 * ordered[-1]:
            return "permuted", first
    return "none", first


def _various(array: Array) -> bool:
    """Whether most numbers differ, so that equal ones cannot be chance; signs do not."""
    sample = array.ravel()[:1000]
    return len(np.unique(sample)) > len(sample) // 2


def _alike(
    b: Array, w: Array, forms: dict[str, Array], correlation: float, spectrum: float, chance_spectrum: float
) -> str:
    """What chance cannot have made, of arrays that have just been drawn."""
    sure, numbers = SURE / np.sqrt(b.size), round(_different(b, next(iter(forms.values()), b)))
    for form in forms.values() if numbers >= FEW_SIGNS else ():
        if _equal_signs(b, form) in (0.0, 1.0) and centred(np.sign(b)).any() and centred(np.sign(form)).any():
            return "sign copy"  # signs that every unit has for itself (Dale's law) agree by chance
    if numbers < FEW:
        return "none"
    for form in forms.values():
        equal = np.count_nonzero((b == form) & (b != 0))
        if equal >= 8 and _various(form):
            return "partial copy"
    if w.ndim == 2:
        inverse = np.linalg.pinv(w)
        for form in (inverse, inverse.T):
            if form.shape == b.shape and abs(pearson(b, form)) > max(sure, 1 - EXACT):
                return "inverse"
    rng = np.random.default_rng(b.size)
    if correlation > sure and any(_beyond(b, form, rng) for form in forms.values()):
        return "correlated"
    if any(_beyond(np.abs(b), np.abs(form), rng, (b != 0) & (form != 0)) for form in forms.values()):
        return "magnitude copy"
    various = min(dimensions(_matrix(x)) for x in (b, w)) >= 4  # a spectrum of one number says nothing
    if various and spectrum < EXACT < 1e-2 * chance_spectrum:
        return "rotated"
    return "none"


def _beyond(a: Array, b: Array, rng: np.random.Generator, there: Array | None = None) -> bool:
    """Whether two arrays correlate beyond chance, less what is common to all of a unit."""
    there = None if there is None or there.all() else there
    one, other = (_by_postsynaptic(limited(centred(x, there))) for x in (a, b))
    return beyond_chance(one, other, _channels(a), rng) is not None


def _different(a: Array, b: Array) -> float:
    """How many numbers two arrays of one shape have that are not what others of their own say."""
    one, other = (_by_postsynaptic(centred(x)) for x in (a, b))
    return a.size * different(one, other, _channels(a))


def _by_postsynaptic(array: Array) -> Array:
    """``(postsynaptic, place x channel)``."""
    return np.moveaxis(array, -1, 0).reshape(array.shape[-1], -1)


def _channels(array: Array) -> int:
    return array.shape[-2] if array.ndim > 1 else 1


def _angle(a: Array, b: Array) -> float:
    return float(np.degrees(np.arccos(np.clip(cosine(a, b), -1, 1))))


def _equal_signs(a: Array, b: Array) -> float:
    """Share of equal signs among the numbers that have one in both."""
    both = (a != 0) & (b != 0)
    return float((np.sign(a) == np.sign(b))[both].mean()) if both.any() else 0.5


def _matrix(array: Array) -> Array:
    return array.reshape(-1, array.shape[-1])


def _spectrum(array: Array) -> Array:
    """Singular values of presynaptic places by postsynaptic channels (the first 256), of length 1, the largest first."""
    matrix = _matrix(array)[:, :CHANNELS]
    gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    values: Array = np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[::-1], 0))
    return values / (np.linalg.norm(values) or 1)


def _spectral_distance(a: Array, b: Array) -> float:
    """Distance of two spectra; the shorter one goes on with zeros."""
    size = max(len(a), len(b))
    return float(np.linalg.norm(np.pad(a, (0, size - len(a))) - np.pad(b, (0, size - len(b)))))
