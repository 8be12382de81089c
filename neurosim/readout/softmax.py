"""Softmax regression's cost and slope over a table of features that is read block by block.

A block of images is standardised in a thread's own scratch array while it lies in the cache. That costs a tenth of the
time of the products it feeds, needs no second copy of the table, and cancels nothing: folding mean and scale into the
weights would subtract two large numbers from each other in every sum. Blocks belong to lanes as in
`neurosim.engine.program`, lanes are added in order, and so any number of threads gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.errors import DataError

if TYPE_CHECKING:
    from neurosim.engine.threads import ThreadTeam

Rows: TypeAlias = Array | slice  # which images
# Of a block: bytes, and rows at least. Products with ten columns run at twice the speed while a block lies in the second cache
# (512 to 1,024 features; 8,192: 1.3 times), and with fewer rows than these the calls themselves cost as much.
BLOCK, ROWS = 1 << 19, 64
# Called with a block's place and its standardised features; gives numbers or arrays that are added up over blocks.
Visit: TypeAlias = Callable[[slice, Array], tuple[Any, ...]]


class Table:
    """Features, standardised as they are read.

    Args:
        features: ``(sample, feature)``, float32 or float64; never copied.
        mean: ``(feature,)``, taken off every image; None: the features are standardised already, and are visited as they lie.
        scale: ``(feature,)``, what is left is divided by it.
        team: who reads.
    """

    def __init__(self, features: Array, mean: Array | None, scale: Array | None, team: ThreadTeam):
        self.features, self._team = features, team
        self._mean = None if mean is None else np.asarray(mean, features.dtype)
        self._factor = None if scale is None else (1 / scale).astype(features.dtype)

    def sweep(
        self,
        visit: Visit,
        rows: Rows | None = None,
        block_bytes: int | None = None,
    ) -> list[Any]:
        """Visit every image once, in blocks, and add up what the visits give.

        Args:
            visit: called with a block's place in ``rows`` and its standardised features ``(sample, feature)``, a
                scratch array that it may spoil unless the table is standardised already; gives a tuple of numbers or arrays.
            rows: which images, in which order; a slice: those that lie there; None: all, as they come.
            block_bytes: how large a block is; None: `BLOCK`.

        Returns:
            The sums of the visits' tuples.
        """
        part = self.features[rows] if isinstance(rows, slice) else self.features
        rows = None if isinstance(rows, slice) else rows
        count = len(part) if rows is None else len(rows)
        size = max(ROWS, (block_bytes or BLOCK) // self.features[0].nbytes)
        size = max(1, min(size, -(-count // tuning.CPU.lanes)))
        bounds = [slice(start, min(start + size, count)) for start in range(0, count, size)]
        lanes: list[list[Any]] = [[] for _ in range(min(tuning.CPU.lanes, len(bounds)))]

        def run(lane: int) -> None:
            scratch = np.empty((size if self._mean is not None or rows is not None else 0, part.shape[1]), part.dtype)
            for place in bounds[lane :: tuning.CPU.lanes]:
                block = self._read(part, place, rows, scratch[: place.stop - place.start])
                _add(lanes[lane], visit(place, block))

        self._team.run([partial(run, lane) for lane in range(len(lanes))])
        for lane in lanes[1:]:
            _add(lanes[0], lane)
        return lanes[0] if lanes else []

    def rows(self, order: Array, count: int) -> Iterator[Array]:
        """Standardised features of some images, so many images at a time: ``(count, feature)``, one scratch array."""
        scratch = np.empty((min(count, len(order)), self.features.shape[1]), self.features.dtype)
        for start in range(0, len(order), count):
            place = slice(start, min(start + count, len(order)))
            yield self._read(self.features, place, order, scratch[: place.stop - start])

    def columns(self, order: Array, count: int) -> Iterator[Array]:
        """The same turned, so many features at a time: ``(count, image)``."""
        for start in range(0, self.features.shape[1], count):
            place = slice(start, start + count)
            block = self.features[:, place][order]
            if self._mean is not None and self._factor is not None:
                block = (block - self._mean[place]) * self._factor[place]
            yield block.T

    def _read(self, part: Array, place: slice, rows: Array | None, out: Array) -> Array:
        if rows is not None:
            np.take(part, rows[place], axis=0, out=out, mode="clip")  # any other mode makes a copy first
        if self._mean is None or self._factor is None:
            return part[place] if rows is None else out
        with np.errstate(invalid="ignore"):  # an infinite feature gives NaN here, and `check_finite` refuses it
            np.subtract(part[place] if rows is None else out, self._mean, out=out)
            np.multiply(out, self._factor, out=out)
        return out


def _add(totals: list[Any], parts: tuple[Any, ...] | list[Any]) -> None:
    if not totals:
        totals.extend(parts)
        return
    for number, part in enumerate(parts):
        totals[number] += part


def check_finite(block: Array, place: slice) -> None:
    """Check that every feature of a block is a finite number.

    Raises:
        DataError: one is not; the message names the first such image.
    """
    good = np.isfinite(block).all(axis=1)
    if not good.all():
        raise DataError(
            f"the features of image {place.start + int(np.argmin(good))} hold NaN or infinity",
            "finite numbers",
            "check the images and the weights that made them",
        )


def moments(features: Array, team: ThreadTeam) -> tuple[Array, Array]:
    """Mean and standard deviation of every feature, in one pass.

    The first image is taken off before anything is squared: then a feature that never varies has a deviation of exactly
    zero, whatever its value, and rounding stays below ``sample * epsilon`` of the variance.

    Args:
        features: ``(sample, feature)``, at least one image.
        team: who reads.

    Returns:
        mean and scale, both ``(feature,)`` float64; the scale of a feature that never varies is 1.

    Raises:
        DataError: a feature is NaN or infinite.
    """

    def visit(place: slice, block: Array) -> tuple[Array, Array]:
        check_finite(block, place)
        wide = block.astype(np.float64)
        return wide.sum(axis=0), np.square(wide, out=wide).sum(axis=0)

    first = features[0]
    total, squares = Table(features, first, np.ones(len(first)), team).sweep(visit)
    shift, count = total / len(features), len(features)
    scale = np.sqrt(np.maximum(squares / count - shift**2, 0))
    # Below the smallest normal number a scale has no reciprocal: such a feature counts as one that never varies.
    return first + shift, np.where(scale > np.finfo(features.dtype).tiny, scale, 1.0)


def logits(weights: Array, dtype: np.dtype[Any]) -> Callable[[Array], Array]:
    """What the read-out gives before the softmax, as a function of a block.

    Args:
        weights: ``(feature + 1, class)``; the last row is added to every image.
        dtype: of the blocks, and of the products; sums over classes are taken in float64.

    Returns:
        A function from standardised ``(sample, feature)`` to ``(sample, class)`` float64.
    """
    inner, last = weights[:-1].astype(dtype), weights[-1]

    def answer(block: Array) -> Array:
        return np.asarray((block @ inner).astype(np.float64) + last)

    return answer


class Cost:
    """Cross entropy of a softmax over chosen images, with an L2 penalty.

    ``cost(W) = 1/N sum_i [log sum_c exp(u_ic) - u_i,label(i)] + strength/2 * |W without its last row|^2``, where
    ``u = X W`` and ``X`` ends with a column of ones. Its slope is ``1/N X'(p - y) + strength * W``, with the softmax
    ``p`` and the labels ``y`` one-hot (Bishop, Pattern Recognition and Machine Learning, eq. 4.109).

    Args:
        table: the standardised features.
        labels: ``(sample,)``, 0 .. classes - 1.
        classes: how many.
    """

    def __init__(self, table: Table, labels: Array, classes: int):
        self.table, self.labels, self.classes = table, labels, classes
        self.shape = (table.features.shape[1] + 1, classes)

    def __call__(self, weights: Array, strength: float, rows: Rows | None = None) -> tuple[float, Array]:
        """Cost and slope at one point.

        Args:
            weights: ``(feature + 1, class)`` float64; the last row is not penalised.
            strength: of the penalty, 0 or more.
            rows: which images; None: all.

        Returns:
            The cost, and its slope ``(feature + 1, class)`` float64.
        """
        labels = self.labels if rows is None else self.labels[rows]
        answer = logits(weights, self.table.features.dtype)

        def visit(place: slice, block: Array) -> tuple[float, Array, Array]:
            activity = answer(block)
            activity -= activity.max(axis=1, keepdims=True)
            activity -= np.log(np.exp(activity).sum(axis=1, keepdims=True))
            own = np.arange(len(block)), labels[place]
            value = -activity[own].sum()
            excess = np.exp(activity, out=activity)
            excess[own] -= 1
            return value, block.T @ excess.astype(block.dtype), excess.sum(axis=0)

        value, slope, last = self.table.sweep(visit, rows)
        slope = np.vstack([slope.astype(np.float64), last]) / len(labels)
        slope[:-1] += strength * weights[:-1]
        return value / len(labels) + strength / 2 * float(np.square(weights[:-1]).sum()), slope
