"""Factors and gates of other people: what every unit's number moves with, unit by unit and row by row.

A kernel from outside this package that works on what a unit has (its activity, its memory, what was delivered to it) may do so
in any way, if the number of a unit moves with nothing of another unit: sigmoids, tanh and softplus of one's own are local.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.interventions.arrays import bits
from neurosim.audit.interventions.synaptic import Dependence, is_figure
from neurosim.audit.interventions.trial import Arrays, Trial, codes, common_ratio, has_rows

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array

SMALL, LARGE = 1e-4, (100.0, 10.0, 3.0)  # how far an argument is scaled: does a unit's function divide, or explode?
GROWN = 10.0  # how much larger its results may be where an argument is small; times the square of the factor where it is large


def of_units(trial: Trial) -> Dependence:
    """What a step's results of one number a unit (and row) move with."""
    found = Dependence()
    results = [k for k, b in trial.site.step.changed.items() if b.dtype.kind == "f" and not is_figure(b)]
    for argument, buffer in trial.site.inputs.items():
        if trial.given[argument].dtype.kind in "fub":
            for result in results:
                _argument(trial, argument, buffer, result, found)
    found.tame = found.own and all(_tame(trial, k, results) for k in trial.given if trial.given[k].dtype.kind == "f")
    return found


def connects(buffer: Buffer, results: list[Buffer]) -> bool:
    """Whether a buffer can hold connections between units: more numbers than the units have, and no rows."""
    if not results or is_figure(buffer):
        return False
    units = max(int(np.prod(b.shape[has_rows(b) :])) for b in results)
    return not has_rows(buffer) and buffer.dtype.kind == "f" and int(np.prod(buffer.shape)) > units


def _inside(trial: Trial, argument: str) -> tuple[int, ...]:
    """The shape of one row's units; of all units where there are no rows."""
    buffer = trial.site.step.buffers[argument]
    return buffer.shape[has_rows(buffer) :]


def _argument(trial: Trial, argument: str, buffer: Buffer, result: str, found: Dependence) -> None:
    values, left = trial.given[argument], trial.left[result]
    if not trial.moved(trial.run({argument: trial.other(argument, np.array(True))}), result).any():
        return
    rows = has_rows(buffer)
    if is_figure(buffer):
        found.scalars[argument] = f"{buffer.name}, one number for all units"
        return
    if rows and has_rows(trial.site.step.changed[result]):
        if len(values) == len(left):
            _rows(trial, argument, buffer, result, found)
        else:
            found.joins = found.joins or _joins(trial, argument, result)
    mine, its = _inside(trial, result), _inside(trial, argument)
    if rows and np.prod(its) == 1 < np.prod(mine):
        found.scalars[argument] = f"{buffer.name}, one number for all units of a row"
    elif np.prod(mine) == np.prod(its):
        _units(trial, argument, buffer, result, found, mine, its)
    elif its and mine and its[-1] == mine[-1]:
        _units(trial, argument, buffer, result, found, mine[-1:], its[-1:])
    else:
        shapes = " and ".join("x".join(map(str, v)) for v in (its, mine))
        found.elsewhere.append(f"{buffer.name} has other units than what is made of it ({shapes})")


def _units(
    trial: Trial,
    argument: str,
    buffer: Buffer,
    result: str,
    found: Dependence,
    mine: tuple[int, ...],
    its: tuple[int, ...],
) -> None:
    """Every unit moves with its own part of an argument; shapes of a mask of units, of the result's and the argument's."""
    ratios, words = set[float | None](), ""
    for values in (trial.given[argument], trial.other(argument, np.array(True))):  # found numbers may all be alike
        left = trial.run({argument: values})[result]
        for inside in codes(int(np.prod(mine))):
            after = trial.run({argument: np.where(inside.reshape(its), trial.other(argument, np.array(True)), values)})
            outside = np.broadcast_to((~inside).reshape(mine), left.shape)
            if (bits(after[result]) != bits(left))[outside].any():
                words = words or f"units move with {buffer.name} of other units"
                ratios |= _factors(after[result], left, outside)
    if words and None not in ratios:
        found.scalars[argument] = f"{buffer.name} of other units moves all by one common factor"
        found.shared = True
        if ratios <= {0.0, 1.0}:
            found.chosen.add(argument)
    elif words:
        found.elsewhere.append(words)


def _factors(after: Array, before: Array, outside: Array) -> set[float | None]:
    """By which number what was left alone is multiplied, row by row; None: by no one number."""
    found = [common_ratio(a[o], b[o]) for a, b, o in zip(after, before, outside, strict=True)]
    return {ratio if ratio is None else round(ratio, 4) for ratio in found}


def _rows(trial: Trial, argument: str, buffer: Buffer, result: str, found: Dependence) -> None:
    """Every row moves with its own row of an argument; or else all rows take part alike, as in a mean over the batch."""
    values = trial.given[argument]
    for inside in codes(len(values)):
        after = trial.run({argument: trial.other(argument, inside.reshape(-1, *[1] * (values.ndim - 1)))})
        if not trial.moved(after, result)[~inside].any():
            continue
        if _alike(trial, result):
            found.batch.append(f"{trial.site}: rows of {buffer.name} are taken together, as one batch")
        elif _follows(trial, argument, result):
            found.batch.append(
                f"{trial.site}: rows move with earlier rows of {buffer.name}, as a trace through the batch does"
            )
        else:
            found.elsewhere.append(f"rows of a batch move with {buffer.name} of other rows")
        return


def _follows(trial: Trial, argument: str, result: str) -> bool:
    """Whether no row of a result moves with a later row of an argument."""
    values = trial.given[argument]
    for row in range(1, len(values)):
        late = (np.arange(len(values)) >= row).reshape(-1, *[1] * (values.ndim - 1))
        if trial.moved(trial.run({argument: trial.other(argument, late)}), result)[:row].any():
            return False
    return True


def _joins(trial: Trial, argument: str, result: str) -> bool:
    """Whether some row of a result moves with more than one row of an argument."""
    values, count = trial.given[argument], np.zeros(len(trial.left[result]), int)
    for row in range(len(values)):
        alone = (np.arange(len(values)) == row).reshape(-1, *[1] * (values.ndim - 1))
        moved = trial.moved(trial.run({argument: trial.other(argument, alone)}), result)
        count += moved.reshape(len(count), -1).any(axis=1)
    return bool((count > 1).any())


def of_connections(trial: Trial) -> Dependence:
    """What a step moves with that carries activity through connections: every unit with its own connections alone."""
    found = Dependence(batch=over_rows(trial))
    results = [k for k, b in trial.site.step.changed.items() if b.dtype.kind == "f" and not is_figure(b)]
    changed = [trial.site.step.changed[k] for k in results]
    for argument, buffer in trial.site.inputs.items():
        if connects(buffer, changed) and not any(_own_connections(trial, argument, k) for k in results):
            found.elsewhere.append(f"units move with connections in {buffer.name} of other units")
    found.tame = found.own and all(_tame(trial, k, results) for k in trial.given if trial.given[k].dtype.kind == "f")
    return found


def _own_connections(trial: Trial, argument: str, result: str) -> bool:
    """Whether every unit (or channel) of a result moves with its own row, or its own column, of an array alone."""
    values, size = trial.given[argument], trial.left[result].shape[-1]
    for axis in (-1, -2):
        if values.ndim < 2 or values.shape[axis] != size:
            continue
        for inside in codes(size):
            mask = inside if axis == -1 else inside[:, None]
            if trial.moved(trial.run({argument: trial.other(argument, mask)}), result)[..., ~inside].any():
                break
        else:
            return True
    return False


def over_rows(trial: Trial) -> list[str]:
    """Results of whose rows some move with other rows, in words: of steps that may connect units as they like."""
    found = Dependence()
    for result, changed in trial.site.step.changed.items():
        for argument, buffer in trial.site.inputs.items():
            values = trial.given[argument]
            rows = has_rows(changed) and has_rows(buffer) and len(values) == len(trial.left[result])
            if rows and values.dtype.kind == "f":
                _rows(trial, argument, buffer, result, found)
    return [*found.batch, *(f"{trial.site}: {text}" for text in found.elsewhere)]


def _alike(trial: Trial, result: str) -> bool:
    """Whether rows in another order give the same in that order: a statistic of the batch, and no particular row's."""
    order = trial.rng.permutation(len(trial.left[result]))
    turned: Arrays = {
        k: trial.given[k][order]
        for k, b in trial.site.inputs.items()
        if has_rows(b) and len(trial.given[k]) == len(order)
    }
    after = trial.run(turned)[result]
    return bool(np.allclose(after, trial.left[result][order], rtol=1e-4, atol=1e-6 * np.abs(after).max(initial=0)))


def _tame(trial: Trial, argument: str, results: list[str]) -> bool:
    """Whether results stay bounded where an argument is small, and grow no faster than its square where it is large."""
    values = trial.given[argument]
    if values.size == 1 or not values.any():
        values = trial.other(argument, np.array(True))

    def sizes(factor: float) -> dict[str, float]:
        left = trial.run({argument: values * values.dtype.type(factor)})
        return {k: float(np.abs(left[k]).max(initial=0)) for k in results}

    size, small = sizes(1.0), sizes(SMALL)
    for factor in LARGE:  # log(1 + exp(x)) overflows far out, and is tame
        large = sizes(factor)
        if np.isfinite(list(large.values())).all():
            break
    bounds = {k: GROWN * max(size[k], 1e-30) for k in results}
    return all(small[k] <= bounds[k] and large[k] <= bounds[k] * factor**2 for k in results)
