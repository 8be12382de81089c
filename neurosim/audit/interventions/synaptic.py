"""Changes and plasticities of other people: what every synapse's number moves with, synapse by synapse.

A kernel from outside this package may compute a change or a new weight in any way, if the number of a synapse moves with
nothing but its own presynaptic unit, its own postsynaptic unit, and its own weight, traces and constants: then Hebb, Oja, BCM
and decay are all local. What moves every number by one common factor is a broadcast scalar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.interventions.trial import Arrays, Trial, codes, common_ratio, has_rows
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array

AXIS = {"pre": -2, "post": -1}
FEW = 3  # numbers that all may share: a loss, how many were active, how many there were


@dataclass
class Dependence:
    """What the numbers of a step's result move with, beyond what is their own.

    Args:
        elsewhere: what belongs to other synapses or units, in words.
        scalars: numbers that all share: argument -> words.
        batch: what compares the rows of a batch, in words.
        chosen: those of the scalars that only let through or not, as comparisons do.
        shared: some of these numbers is made of what many units or synapses have.
        joins: a row of the result is made of several rows of an argument, as where views are compared.
        tame: it neither divides by what may be small nor explodes; asked of steps on units alone.
    """

    elsewhere: list[str] = field(default_factory=list)
    scalars: dict[str, str] = field(default_factory=dict)
    batch: list[str] = field(default_factory=list)
    chosen: set[str] = field(default_factory=set)
    shared: bool = False
    joins: bool = False
    tame: bool = True

    @property
    def own(self) -> bool:
        """Whether everything moves with its own alone, or with a number that all share."""
        return not self.elsewhere and not self.batch


def of_synapses(trial: Trial, shape: tuple[int, ...]) -> Dependence:
    """What a step's results of one number a synapse move with.

    Args:
        trial: of the step.
        shape: of the weights, ``(..., presynaptic, postsynaptic)``.
    """
    found = Dependence()
    count = int(np.prod(shape))
    results = [k for k, v in trial.left.items() if v.size == count]
    moving = [k for k, v in trial.given.items() if v.dtype.kind in "fub" and _moves(trial, k, results)]
    if not moving:
        found.elsewhere.append("is made of no activity, weight or trace")
    for argument, buffer in trial.site.inputs.items():
        if argument not in moving:
            continue
        if is_figure(buffer):
            found.scalars[argument] = f"{buffer.name}, one number for all synapses"
        else:
            _argument(trial, argument, buffer, shape, results, found)
    if any(has_rows(b) and trial.given[k].dtype.kind == "f" for k, b in trial.site.inputs.items()):
        _rows(trial, results, found)
    return found


def _moves(trial: Trial, argument: str, results: list[str]) -> bool:
    """Whether a result moves at all when all of an argument is replaced, or has the other sign."""
    turned = [-trial.given[argument]] if trial.given[argument].dtype.kind == "f" else []
    ways = (trial.run({argument: values}) for values in (trial.other(argument, np.array(True)), *turned))
    return any(trial.moved(left, k).any() for left in ways for k in results)


def _argument(
    trial: Trial, argument: str, buffer: Buffer, shape: tuple[int, ...], results: list[str], found: Dependence
) -> None:
    """Whether every synapse moves with its own part of one argument."""
    leaks: list[tuple[bool, str]] = []
    for side, size, mask in _sides(buffer, trial.given[argument], shape):
        leak = _leak(trial, argument, (side, size, mask), shape, results)
        if leak is None:
            return
        leaks.append(leak)
    if not leaks:
        name = "x".join(map(str, trial.given[argument].shape))
        found.elsewhere.append(f"{buffer.name} of {name} numbers has no part for every synapse or unit of {shape}")
    elif any(common for common, _ in leaks):
        found.scalars[argument] = f"{buffer.name} moves all synapses by one common factor"
        found.shared = True
    else:
        found.elsewhere.append(f"{buffer.name}: {leaks[0][1]}")


def _sides(buffer: Buffer, values: Array, shape: tuple[int, ...]) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    """How an argument may lie along an array of synapses: side, how many parts it has, the shape of a mask of parts."""
    if per_synapse(buffer, shape):
        yield "synapse", values.size, values.shape
        return
    inside = int(np.prod(values.shape[1:]))
    for side, axis in AXIS.items():
        size = shape[axis]
        if values.shape[-1] == size:
            yield side, size, (size,)
        elif values.ndim > 1 and inside == size:
            yield side, size, (1, *values.shape[1:])
        elif values.size == size:
            yield side, size, values.shape
    if shape[-1] == shape[-2] == values.shape[-1]:  # one population, on both sides
        yield "pre or post", shape[-1], (shape[-1],)


def _leak(
    trial: Trial, argument: str, parts: tuple[str, int, tuple[int, ...]], shape: tuple[int, ...], results: list[str]
) -> tuple[bool, str] | None:
    """Where parts that are left alone move with others: whether by one factor, in words; None: nowhere."""
    side, size, mask = parts
    common, words = True, ""
    for inside in codes(size):
        left = trial.run({argument: trial.other(argument, inside.reshape(mask))})
        for result in results:
            moved = trial.moved(left, result).reshape(shape)
            outside = _outside(inside, side, shape)
            if not (moved & outside).any():
                continue
            words = words or f"{int((moved & outside).sum())} synapses move that are not its own {side} part"
            after, before = left[result].reshape(shape), trial.left[result].reshape(shape)
            common = common and side != "synapse" and common_ratio(after[outside], before[outside]) is not None
    return (common, words) if words else None


def _outside(inside: Array, side: str, shape: tuple[int, ...]) -> Array:
    """The synapses that have no part in a set."""
    if side == "synapse":
        return ~inside.reshape(shape)
    outside = {"pre": ~inside[:, None], "post": ~inside, "pre or post": ~(inside | inside[:, None])}[side]
    return np.broadcast_to(outside, shape)


# -- rows


def _rows(trial: Trial, results: list[str], found: Dependence) -> None:
    """Rows of a batch contribute each by itself: what two of them do together is the sum of what each does."""
    names = [k for k, b in trial.site.inputs.items() if has_rows(b) and trial.given[k].dtype.kind == "f"]
    rows = min(len(trial.given[k]) for k in names)
    if rows < 2:
        return
    half = np.arange(rows) < rows // 2
    one, other = (_other_rows(trial, names, rows, chosen) for chosen in (half, ~half))
    both = {k: np.where(_column(half, one[k], rows), one[k], other[k]) for k in names}
    lefts = [trial.run(altered) for altered in (both, one, other)]
    for result in results:
        a, b, c = (left[result].astype(float) for left in lefts)
        rest = a - b - c + trial.left[result]
        size = max(np.abs(x).max() for x in (a, b, c, trial.left[result]))
        if np.abs(rest).max() > 1e-3 * size:
            text = f"{trial.site}: what the rows of a batch do to {trial.site.step.changed[result].name} is no sum"
            found.batch.append(text)
            return


def _other_rows(trial: Trial, names: list[str], rows: int, chosen: Array) -> Arrays:
    return {k: trial.other(k, _column(chosen, trial.given[k], rows)) for k in names}


def _column(chosen: Array, values: Array, rows: int) -> Array:
    """A mask of rows that broadcasts to an array; rows that other arguments have not stay."""
    mask = np.zeros(len(values), bool)
    mask[:rows] = chosen
    return mask.reshape(-1, *[1] * (values.ndim - 1))


def is_figure(buffer: Buffer) -> bool:
    """Whether a buffer is one number that all share, or a few."""
    return not has_rows(buffer) and int(np.prod(buffer.shape)) <= FEW and not buffer.role.is_weight


def per_synapse(buffer: Buffer, shape: tuple[int, ...]) -> bool:
    """Whether a buffer has one number for every synapse of an array."""
    return not has_rows(buffer) and int(np.prod(buffer.shape)) == int(np.prod(shape)) and buffer.role is not Role.LABEL
