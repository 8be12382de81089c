"""Whether an error is made of sums and comparisons alone: its pieces are straight in the activities it compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.roles import Role
from neurosim.core.typing import Array

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench

TRIALS = 12
# How far a trial begins from the activities that occurred, and how far it reaches from there, of the largest activity.
AWAY, REACH = 1e-2, 1e-5
MOVED = (Role.ACTIVITY, Role.MEMORY, Role.ERROR)  # roles of the inputs that are moved

Move = tuple[float, dict[str, Array]]  # how far, and in which direction every input is moved


def bend_of(bench: Bench, site: Site, rng: np.random.Generator) -> tuple[float, float]:
    """Mixed second differences of a step's errors by its activities, in float64.

    ``f(a + h, b + k) - f(a + h, b) - f(a, b + k) + f(a, b)`` is zero where f is straight between its corners, and is not
    where activities are multiplied, normalised, divided or exponentiated. Every trial begins at a place of its own near the
    activities that occurred: two of them may be equal, or a distance its margin, and all trials from there would be at that
    corner.

    Returns:
        The largest share, among the errors, of random directions h, k in which it is not zero, and its median size there
        relative to the largest error.
    """
    given = bench.inputs(site, max(run.batch for run in bench.runs))
    moved = [k for k, b in site.inputs.items() if b.role in MOVED and given[k].dtype.kind == "f"]
    errors = _errors_of(bench, site, given, moved)
    size, found = np.abs(errors()).max() or 1.0, []
    for _ in range(TRIALS):
        moves = [{name: rng.uniform(-1, 1, given[name].shape) for name in moved} for _ in range(3)]
        away, h, k = zip((AWAY, REACH, REACH), moves, strict=True)
        found.append(np.abs(errors(away, h, k) - errors(away, h) - errors(away, k) + errors(away)) / size)
    # A corner within reach shows from one place or another; what bends, bends at all of them.
    if not bench.is_fit(f"{site}, run on activities nearby", {"its errors": np.array(found)}):
        return 0.0, 0.0
    often = (np.array(found) > 1e-13).mean(axis=0)
    return float(often.max()), float(np.median(found, axis=0)[often.argmax()])


def _errors_of(bench: Bench, site: Site, given: dict[str, Array], moved: list[str]) -> Callable[..., Array]:
    """The errors of a step as a function of moves of its inputs."""
    step, kernel = site.step, bench.function(site)
    real = {k: b for k, b in step.changed.items() if b.dtype.kind == "f"}
    results = [k for k, b in real.items() if b.role is Role.ERROR] or list(real)  # whatever else they are called
    sizes = {k: max(np.abs(given[k]).max(), 1e-12) for k in moved}

    def errors(*moves: Move) -> Array:
        arguments = {k: v.astype(float) if v.dtype.kind == "f" else v.copy() for k, v in given.items()}
        for reach, direction in moves:
            for k in moved:
                arguments[k] += reach * sizes[k] * direction[k]
        for k, b in {**step.writes, **step.sums}.items():
            arguments[k] = np.zeros(b.shape, float if b.dtype.kind == "f" else b.dtype)
        with np.errstate(all="ignore"):
            kernel(**arguments, **step.scalars)
        return np.concatenate([arguments[k].ravel() for k in results])

    return errors
