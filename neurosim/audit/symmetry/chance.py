"""What chance gives when two weight matrices are compared: their own structure, their units in another order.

Two arrays may be smooth over the taps of a kernel, sparse at the same places, of few dimensions or of Dale's signs, each by
itself; then their numbers are fewer than they seem, and correlate more by chance. So chance is measured on one of them with
the units of both sides in another order, which keeps all that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neurosim.core.typing import Array

SURE = 6.0  # standard deviations of chance: one in 10^9
FEW = 36  # below so many numbers nothing is proved
ORDERS = 16  # by which chance is measured
MEASURED = 6.0  # standard deviations, where these are measured by so few orders
THIN = 3.0  # effective dimensions below which chance has no normal distribution
OWN = 0.75  # share of the dimensions that its size allows, below which a matrix has a structure
SMOOTH = 0.5  # the same, of the taps of a kernel


def centred(array: Array, there: Array | None = None) -> Array:
    """An array less what is common to all of a presynaptic or of a postsynaptic unit: its sign, by Dale's law, or its size.

    Args:
        array: its last axis is one side, the others the other.
        there: where numbers count; the rest becomes 0. None: everywhere.
    """
    matrix = np.array(array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array.reshape(1, -1), float)
    count = np.ones(matrix.shape) if there is None else there.reshape(matrix.shape).astype(float)
    if min(matrix.shape) > 1:
        for _ in range(1 if there is None else 4):  # with holes, the means of both sides depend on one another
            for axis in (0, 1):
                many = np.maximum(count.sum(axis=axis, keepdims=True), 1)
                matrix = (matrix - (matrix * count).sum(axis=axis, keepdims=True) / many) * count
        matrix = np.where(np.abs(matrix) > 1e-9 * np.abs(array).max(initial=0), matrix, 0)
    return matrix.reshape(array.shape)


def limited(x: Array) -> Array:
    """A matrix without its extremes, or a few of these decide every correlation."""
    most = 2.5 * float(x.std())
    clipped: Array = np.clip(x, -most, most)
    return clipped


def cosine(a: Array, b: Array) -> float:
    """Of the angle between two arrays as vectors; 0 where one has no length."""
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.vdot(a, b)) / length if length > 0 else 0.0


def pearson(a: Array, b: Array) -> float:
    """Pearson's correlation of the numbers of two arrays; 0 where one is constant."""
    return cosine(a - a.mean(), b - b.mean())


def cycle(size: int, rng: np.random.Generator) -> Array:
    """An order in which nothing stays at its place."""
    order, found = rng.permutation(size), np.empty(size, int)
    found[order] = np.roll(order, 1)
    return found


def reordered(matrix: Array, channels: int, rng: np.random.Generator) -> Array:
    """A matrix with the units of both sides in another order.

    Args:
        matrix: ``(postsynaptic, place x channel)``.
        channels: of the presynaptic side; the places of a channel stay together.
        rng: of the order.
    """
    parts = matrix.reshape(len(matrix), -1, channels)
    other: Array = parts[cycle(len(matrix), rng)][:, :, cycle(channels, rng)].reshape(matrix.shape)
    return other


def beyond_chance(one: Array, other: Array, channels: int, rng: np.random.Generator) -> tuple[float, float] | None:
    """The correlation of two centred matrices and what chance does not reach; None: it is within chance.

    Args:
        one, other: ``(postsynaptic, place x channel)``.
        channels: as for `reordered`.
        rng: of the orders by which chance is measured.
    """
    size, there = cosine(one, other), (one != 0) & (other != 0)
    free = int(there.sum()) - int(there.any(axis=0).sum()) - int(there.any(axis=1).sum())  # what centring leaves
    if abs(size) <= _least(free):
        return None
    free = int(free * different(one, other, channels))
    if abs(size) <= _least(free):
        return None
    chance = np.array([cosine(reordered(one, channels, rng), other) for _ in range(ORDERS)])
    thin = is_thin(one) and is_thin(other)
    far = max(SURE / float(np.sqrt(free)), (2 if thin else 1) * MEASURED * float(chance.std()))
    sure = max(float(np.tanh(far)), 1.6 * float(np.abs(chance).max()))
    return (size, sure) if abs(size) > max(sure, 0.5 if thin else 0.0) else None


def different(one: Array, other: Array, channels: int) -> float:
    """The share of the numbers of two matrices that are not what others of their own say: rows, columns and taps repeat them.

    Where both are smooth over the taps of a kernel, nine weights are one number, and the two are alike by chance as often as
    single numbers are.

    Args:
        one, other: ``(postsynaptic, place x channel)``.
        channels: as for `reordered`.
    """
    both = np.stack([whole(x).reshape(len(x), -1, channels) for x in (one, other)])
    rows, columns = distinct(both, 1), distinct(both, 3)
    taps = [np.moveaxis(x, 1, 0).reshape(x.shape[1], -1).astype(float) for x in both]
    most = white_dimensions(len(taps[0]), rows * columns)
    smooth = max((dimensions(x) - 1) / (most - 1) if most > 1 else 1.0 for x in taps)  # 0: one number; 1: white
    apart = 1.0 if smooth > SMOOTH else (1 + max(smooth, 0.0) * (len(taps[0]) - 1)) / len(taps[0])
    return apart * rows * columns / (len(one) * channels)


def whole(matrix: Array) -> Array:
    """Its numbers to four digits of the largest, as whole numbers."""
    return np.rint(matrix / (float(np.abs(matrix).max(initial=0)) or 1.0) * 1e4).astype(np.int64)


def distinct(array: Array, axis: int) -> int:
    """How many slices along an axis of whole numbers differ: each is one number, its sum with weights drawn by lot."""
    rows = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
    drawn = np.random.default_rng(0).integers(-(1 << 62), 1 << 62, rows.shape[1])
    return len(np.unique((rows * drawn).sum(axis=1)))


def _least(free: int) -> float:
    """The correlation of so many free numbers that chance reaches once in 10^9; Fisher's transform makes it normal."""
    return float("inf") if free < FEW else float(np.tanh(SURE / np.sqrt(free)))


def white_dimensions(rows: int, columns: int) -> float:
    """How many `dimensions` a matrix of independent numbers has."""
    return rows * columns / (rows + columns)


def is_thin(matrix: Array) -> bool:
    """Whether a centred matrix has so few dimensions, by a structure of its own, that chance has no normal distribution."""
    return bool(dimensions(matrix) < min(THIN, OWN * (min(matrix.shape) - 1)))


def dimensions(matrix: Array) -> float:
    """How many dimensions a matrix has, the small ones counted for less."""
    powers = np.linalg.svd(matrix, compute_uv=False) ** 2
    total = float((powers**2).sum())
    return float(powers.sum()) ** 2 / total if total > 0 else 0.0
