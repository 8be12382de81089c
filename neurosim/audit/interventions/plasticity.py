"""What a plasticity makes of a change, one synapse at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.graph.kinds import reference_of
from neurosim.audit.interventions.products import LOOSE, SYNAPSES, Recomputed
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.interventions.bench import Bench, StepRun
    from neurosim.core.typing import Array


def update_differs(bench: Bench, run: StepRun, rng: np.random.Generator) -> Recomputed:
    """Recompute what a plasticity makes of some synapses' own change and traces."""
    step, given = run.site.step, bench.before[run]
    argument, weight = next((k, b) for k, b in step.updates.items() if b.role.is_weight)
    naive = reference_of(step)
    if naive is None:
        return _other_synapses_differ(bench, run, rng, argument)
    size = int(np.prod(weight.shape))
    chosen = np.unique(rng.integers(size, size=SYNAPSES))
    single = {k: v.reshape(-1)[chosen].astype(float) if v.size == size else v.copy() for k, v in given.items()}
    before = single[argument].copy()
    naive(**single, **step.scalars)
    wanted = single[argument]
    found = bench.after[run][argument].reshape(-1)[chosen]
    error = np.abs(found - wanted) / (np.abs(before) + np.abs(wanted - before) + 1e-30)
    turned = np.isclose(single.get("trace", np.ones(1)), 0, atol=1e-12)  # a sign that rounding may turn
    error = np.where(turned, 0, error)
    worst = int(np.argmax(error))
    if not error[worst] < LOOSE[weight.dtype.itemsize]:
        text = f"{weight.name} at synapse {chosen[worst]} becomes {found[worst]:.6g}, by its own change and traces "
        return Recomputed(f"{text}{wanted[worst]:.6g}", len(chosen), 1.0)
    return Recomputed("", len(chosen), float(error.max()))


def _other_synapses_differ(bench: Bench, run: StepRun, rng: np.random.Generator, argument: str) -> Recomputed:
    """A plasticity from outside this package: one synapse's change altered, no other weight may differ."""
    site, given = run.site, bench.before[run]
    changes = [b for b in site.step.reads.values() if b.role is Role.CHANGE]
    if not changes:
        return Recomputed("no outer product is among what it reads", 0, 0.0)
    chosen = int(rng.integers(given[argument].size))

    def left(altered: bool) -> Array:
        bench.restore()
        for k, b in site.inputs.items():
            b.array[...] = given[k]
        if altered:
            line = changes[0].array.reshape(-1)
            line[chosen] = 2 * line[chosen] + 1
        bench.run(site)
        weights: Array = site.step.updates[argument].array.copy().reshape(-1)
        return weights

    one, other = left(False), left(True)
    bench.restore()
    others = np.flatnonzero(one != other)
    if set(others.tolist()) - {chosen}:
        name = site.step.updates[argument].name
        return Recomputed(f"the change of synapse {chosen} altered: {len(others)} weights of {name} differ", 1, 1.0)
    return Recomputed("", 1, 0.0)
