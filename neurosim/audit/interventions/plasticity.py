"""What a plasticity makes of a change: every synapse again, from its own change, weight and traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.graph.kinds import reference_of
from neurosim.audit.interventions.products import LOOSE, Recomputed
from neurosim.audit.interventions.trial import found_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neurosim.audit.interventions.bench import Bench, StepRun
    from neurosim.audit.interventions.trial import Arrays
    from neurosim.core.typing import Array

ROUNDED = 2.0**-22  # relative: a few roundings of a float32


def update_differs(bench: Bench, run: StepRun) -> Recomputed:
    """Recompute what a plasticity of this package makes of every synapse's own change and traces.

    The specification loops over synapses and works on each by itself; given all of them as one vector in the place of one
    synapse, it computes them at once. `neurosim.audit.interventions.synaptic` asks the plasticities of others.
    """
    step = run.site.step
    naive = reference_of(step)
    if naive is None:
        return Recomputed("", 0, 0.0)
    given = found_by(bench, run)
    weight = next(b for b in step.updates.values() if b.role.is_weight)
    size = int(np.prod(weight.shape))
    rows = _again(naive, {k: _row(v, size) for k, v in given.items()}, step.scalars)
    turned = np.abs(rows.get("trace", np.ones(1))) < 1e-12  # a sign that rounding may turn
    worst = Recomputed("", size, 0.0)
    for argument, buffer in step.updates.items():
        before, found = given[argument].reshape(1, -1).astype(float), bench.after[run][argument].reshape(1, -1)
        wanted, loose = rows[argument], LOOSE[buffer.dtype.itemsize]
        error = np.abs(found - wanted) / (np.abs(before) + np.abs(wanted - before) + 1e-30)
        error = np.where(turned & buffer.role.is_weight, 0, np.nan_to_num(error, nan=np.inf))
        far = np.flatnonzero(~(error[0] < loose))
        if far.size and buffer.dtype.itemsize < 8:
            few = {k: _row(v, size)[:, far] if v.size == size > 1 else v for k, v in given.items()}
            explained = np.abs(found - wanted)[0, far] <= _rounding(naive, few, step.scalars, argument)
            error[0, far[explained]] = 0
        place = int(np.argmax(error))
        if not error[0, place] < loose:
            text = f"{buffer.name} at synapse {place} becomes {found[0, place]:.6g}, by its own change and traces "
            return Recomputed(f"{text}{wanted[0, place]:.6g}", size, 1.0)
        worst = Recomputed("", size, max(worst.error, float(error[0, place])))
    return worst


def _again(naive: Callable[..., None], rows: Arrays, scalars: Mapping[str, object]) -> Arrays:
    """What the specification leaves: all synapses as one vector in the place of one, or one by one where it branches."""
    with np.errstate(all="ignore"):
        left = {k: v.copy() for k, v in rows.items()}
        try:
            naive(**left, **scalars)
        except ValueError:  # it branches on a synapse's numbers
            left = {k: v.reshape(-1).copy() for k, v in rows.items()}
            naive(**left, **scalars)
            left = {k: v.reshape(1, -1) for k, v in left.items()}
    return left


def _rounding(naive: Callable[..., None], rows: Arrays, scalars: Mapping[str, object], argument: str) -> Array:
    """How far rounding each number that a synapse has carries a result: sums that cancel leave little else."""
    plain, total = _again(naive, rows, scalars)[argument], np.zeros(rows[argument].shape[-1])
    for name, values in rows.items():
        if values.dtype.kind == "f" and values.shape == rows[argument].shape:
            other = _again(naive, {**rows, name: values * (1 + ROUNDED)}, scalars)[argument]
            total += np.abs(other - plain)[0]
    return total


def _row(values: Array, size: int) -> Array:
    """All synapses in the place of one; a number of all of them as it is."""
    return values.reshape(1, -1).astype(float) if values.size == size and size > 1 else values.copy()
