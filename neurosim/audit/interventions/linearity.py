"""Whether an error is made of sums and comparisons alone: its pieces are straight in the activities it compares."""

from __future__ import annotations

import numpy as np

from neurosim.audit.graph.graph import Site
from neurosim.audit.interventions.bench import Bench

# Trials; how far each begins from the activities that were met, and how far it reaches from there, both of the largest activity.
TRIALS, AWAY, REACH = 12, 1e-2, 1e-5


def bent(bench: Bench, site: Site, rng: np.random.Generator) -> tuple[float, float]:
    """Mixed second differences of a step's errors by its activities, in float64.

    ``f(a + h, b + k) - f(a + h, b) - f(a, b + k) + f(a, b)`` is zero where f is straight between its corners, and is not
    where activities are multiplied, normalised, divided or exponentiated. Every trial begins at a place of its own near the
    activities that were met: two of them may be equal, or a distance its margin, and all trials from there would meet that corner.

    Returns:
        The largest share, among the errors, of random directions h, k in which it is not zero, and its median size there
        relative to the largest error.
    """
    step = site.step
    kernel = step.function or getattr(bench.subject.kernels, step.kernel)
    last = max(m.batch for m in bench.moments)
    given = _inputs(bench, site, last)
    moved = [k for k, b in site.inputs.items() if b.role in ("activity", "memory", "error") and given[k].dtype.kind == "f"]
    sizes = {k: max(np.abs(given[k]).max(), 1e-12) for k in moved}

    def errors(*moves) -> np.ndarray:
        arguments = {k: v.astype(float) if v.dtype.kind == "f" else v.copy() for k, v in given.items()}
        for reach, direction in moves:
            for k in moved:
                arguments[k] += reach * sizes[k] * direction[k]
        for k, b in {**step.writes, **step.sums}.items():
            arguments[k] = np.zeros(b.shape, float if b.dtype.kind == "f" else b.dtype)
        with np.errstate(all="ignore"):
            kernel(**arguments, **step.scalars)
        return np.concatenate([arguments[k].ravel() for k, b in step.changed.items() if b.role == "error"])

    size, met = np.abs(errors()).max() or 1.0, []
    for _ in range(TRIALS):
        away, h, k = ((reach, {name: rng.uniform(-1, 1, given[name].shape) for name in moved}) for reach in (AWAY, REACH, REACH))
        met.append(np.abs(errors(away, h, k) - errors(away, h) - errors(away, k) + errors(away)) / size)
    # A corner within reach is met from one place or another; what bends, bends at all of them.
    often = (np.array(met) > 1e-13).mean(axis=0)
    return float(often.max()), float(np.median(met, axis=0)[often.argmax()])


def _inputs(bench: Bench, site: Site, batch: int) -> dict[str, np.ndarray]:
    """What a step found in its inputs in some batch: what the steps before it left."""
    held = {name: values.copy() for name, values in bench.start.items()}
    for moment in bench.moments:
        if moment.batch == batch and moment.site is site:
            break
        for key, buffer in moment.site.step.changed.items():
            whole = held[buffer.base.name].reshape(-1)
            row = int(np.prod(buffer.base.shape[1:])) if len(buffer.base.shape) > 1 else 1
            values = bench.after[moment][key].reshape(-1)
            whole[buffer.start * row : buffer.start * row + len(values)] = values
    found = {}
    for key, buffer in site.inputs.items():
        whole = held[buffer.base.name].reshape(-1)
        row = int(np.prod(buffer.base.shape[1:])) if len(buffer.base.shape) > 1 else 1
        found[key] = whole[buffer.start * row : buffer.start * row + int(np.prod(buffer.shape))].reshape(buffer.shape)
    return found
