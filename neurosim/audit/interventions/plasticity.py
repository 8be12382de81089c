"""What a plasticity makes of a change: every synapse again, from its own change, weight and traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.graph.kinds import reference_of
from neurosim.audit.interventions.products import LOOSE, Recomputed
from neurosim.audit.interventions.trial import found_by

if TYPE_CHECKING:
    from neurosim.audit.interventions.bench import Bench, StepRun
    from neurosim.core.typing import Array


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
    rows = {k: _row(v, size) for k, v in given.items()}
    with np.errstate(all="ignore"):
        try:
            naive(**rows, **step.scalars)
        except ValueError:  # it branches on a synapse's numbers: one by one, then
            rows = {k: v.reshape(-1) for k, v in ((k, _row(v, size)) for k, v in given.items())}
            naive(**rows, **step.scalars)
            rows = {k: v.reshape(1, -1) for k, v in rows.items()}
    turned = np.abs(rows.get("trace", np.ones(1))) < 1e-12  # a sign that rounding may turn
    worst = Recomputed("", size, 0.0)
    for argument, buffer in step.updates.items():
        before, found = given[argument].reshape(1, -1).astype(float), bench.after[run][argument].reshape(1, -1)
        wanted = rows[argument]
        error = np.abs(found - wanted) / (np.abs(before) + np.abs(wanted - before) + 1e-30)
        error = np.where(turned & buffer.role.is_weight, 0, np.nan_to_num(error, nan=np.inf))
        place = int(np.argmax(error))
        if not error[0, place] < LOOSE[buffer.dtype.itemsize]:
            text = f"{buffer.name} at synapse {place} becomes {found[0, place]:.6g}, by its own change and traces "
            return Recomputed(f"{text}{wanted[0, place]:.6g}", size, 1.0)
        worst = Recomputed("", size, max(worst.error, float(error[0, place])))
    return worst


def _row(values: Array, size: int) -> Array:
    """All synapses in the place of one; a number of all of them as it is."""
    return values.reshape(1, -1).astype(float) if values.size == size and size > 1 else values.copy()
