"""Outer products again, every synapse, in float64; `terms` has them one synapse at a time, by plain loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.graph.graph import PER_ROW, Site
from neurosim.audit.graph.updates import populations_of
from neurosim.audit.interventions.sums import sums_of, unfolded
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.interventions.bench import Bench, StepRun
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array

SHARE = 0.1  # of the mean size of sums of an array, below which a sum is not asked to be exact
PEAK = 0.05  # of the largest, likewise: tiles that are transformed round to the size of their largest numbers
LOOSE = {2: 1e-2, 4: 2e-5, 8: 1e-11}  # relative difference that rounding explains, by bytes of a number

CAUSES = (Role.ACTIVITY, Role.IMAGE, Role.NOISE, Role.MEMORY)  # what may stand on a presynaptic side

Place = tuple[int, ...]  # (sample, row, column), (sample,) or whatever names where two activities come together
Terms = list[tuple[Place, float, float]]  # where, presynaptic, postsynaptic


@dataclass(frozen=True)
class Recomputed:
    """The synapses of one array, computed again.

    Args:
        difference: what differs, in words; empty if nothing.
        synapses: how many were computed again.
        error: the largest relative difference.
    """

    difference: str
    synapses: int
    error: float


def product_differs(bench: Bench, run: StepRun) -> Recomputed:
    """Recompute every synapse of a change from the stored activity and the factor."""
    site = run.site
    argument, change = next(iter(site.step.changed.items()))
    pair = pair_of(site) or _pair_of_same_ends(bench, site, change)
    if pair is None:
        return Recomputed("made of no pair of activities", 0, 0.0)
    pre, post = _values(bench, run, *pair)
    found = bench.after[run][argument]
    unfit = Recomputed(f"{pair[0].name} and {pair[1].name} make no array of the size of {change.name}", 0, 0.0)
    try:
        wanted, size = sums_of(pre, post, change.shape), sums_of(np.abs(pre), np.abs(post), change.shape)
    except (ValueError, IndexError):
        return unfit
    if wanted.shape != found.shape:
        return unfit
    apart = np.abs(found - wanted)
    size = np.maximum(size, max(SHARE * size.mean(), PEAK * size.max()))
    error = np.where(apart < 1e-30, 0, apart / np.maximum(size, 1e-30))
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.nan_to_num(error, nan=np.inf))), error.shape))
    if not error[worst] < LOOSE[change.dtype.itemsize]:
        text = f"{change.name} at {worst} is {found[worst]:.6g}, the sum of its products {wanted[worst]:.6g}"
        return Recomputed(text, found.size, 1.0)
    return Recomputed("", found.size, float(error[worst]))


# -- which two buffers


def pair_of(site: Site) -> tuple[Buffer, Buffer] | None:
    """The presynaptic and the postsynaptic buffer that a product reads."""
    factors = [b for b in site.step.reads.values() if b.role is Role.ERROR]
    causes = [b for b in site.step.reads.values() if b.role in CAUSES]
    if not factors and len(causes) > 1:  # a synapse between two activities
        factors = [causes.pop()]
    return (causes[0], factors[0]) if causes and factors else None


def _pair_of_same_ends(bench: Bench, site: Site, change: Buffer) -> tuple[Buffer, Buffer] | None:
    """The pair of another product of the same two populations: what a change that is copied must still equal."""
    weight = next((b for b in bench.bases if b.role.is_weight and b.owner == change.owner), None)
    ends = populations_of(bench.graph, weight) if weight is not None else set()
    for other in bench.graph.phases[site.phase]:
        pair = pair_of(other) if other.kind is Kind.HEBBIAN and other is not site else None
        shapes = [b.shape for b in other.step.changed.values()]
        if pair and {pair[0].owner, pair[1].owner} in ends and change.shape in shapes:
            return pair
    return None


# -- what was in them


def _values(bench: Bench, run: StepRun, pre: Buffer, post: Buffer) -> tuple[Array, Array]:
    """What this batch stored of both: the forward pass left the one, the delivery of errors the other."""
    factor = _left(bench, run, post, False)
    cause = _left(bench, run, pre, True)
    if post.axes[0] in PER_ROW and len(factor) == len(post.base.array):
        factor = factor[post.start : post.start + post.shape[0]]
    rows = pre.axes[0] in PER_ROW and post.axes[0] in PER_ROW
    return cause[len(cause) - len(factor) :] if rows else cause, factor


def _left(bench: Bench, run: StepRun, buffer: Buffer, forward: bool) -> Array:
    """What the last step that made all of a buffer left in it; before this step, or else after it; of the same batch."""
    sites = bench.graph.phases[run.site.phase]
    before, after = sites[: run.site.number - 1], sites[run.site.number :]
    for site in (*reversed(before), *after):
        for argument, made in site.step.changed.items():
            whole = made.base is buffer.base and made.shape[0] == buffer.base.shape[0]
            if whole and (site in bench.graph.forward or not forward or buffer.role is not Role.ACTIVITY):
                maker = next(r for r in bench.runs if r.site is site and r.batch == run.batch)
                left = bench.after[maker][argument]
                return left.reshape(buffer.shape) if left.size == np.prod(buffer.shape) else left
    return next(v for k, v in bench.before[run].items() if run.site.inputs[k].name == buffer.name)


# -- the loops


def terms(pre: Array, post: Array, synapse: tuple[int, ...], side: int = 3) -> Terms:
    """What one synapse multiplies: ``((sample, row, column), pre, post)`` for every view (and place).

    Args:
        pre: ``(sample, row, column, channel)`` or ``(sample, presynaptic)``.
        post: ``(sample, row, column, channel)``, pooled or not, or ``(sample, postsynaptic)``.
        synapse: ``(tap row, tap column, in, out)``, ``(presynaptic, postsynaptic)``, ``(row of the grid, in, out)`` of a
            prediction, or ``(row, column, tap row, tap column, in, out)`` of weights of every place's own.
        side: rows and columns of the fields of a convolution.
    """
    if len(synapse) == 3:
        return _of_prediction(pre, post, synapse)
    flat, post = post, unfolded(post)
    if pre.shape == (1,):  # the constant unit of a bias
        return [(place, float(pre[0]), float(post[(*place, synapse[-1])])) for place in np.ndindex(post.shape[:-1])]
    if len(synapse) == 2:
        below, above = pre.reshape(len(pre), -1), flat.reshape(len(flat), -1)
        return [((n,), float(below[n, synapse[0]]), float(above[n, synapse[1]])) for n in range(len(above))]
    if post.shape[1] == 2 * pre.shape[1]:
        return _of_upward(pre, post, synapse)
    return _of_convolution(pre, post, synapse, (side - 1) // 2)


def _of_convolution(pre: Array, post: Array, synapse: tuple[int, ...], before: int) -> Terms:
    """Terms of a convolution, at all places or, where weights are every place's own, at one; rows of a field before its own."""
    place, (i, j, k, o) = synapse[:-4], synapse[-4:]
    found: Terms = []
    for n, r, c in np.ndindex(post.shape[:3]):
        y, x = r + i - before, c + j - before
        if 0 <= y < pre.shape[1] and 0 <= x < pre.shape[2] and place in ((), (r, c)):
            found.append(((n, r, c), float(pre[n, y, x, k]), float(post[n, r, c, o])))
    return found


def _of_upward(pre: Array, post: Array, synapse: tuple[int, ...]) -> Terms:
    """Terms of a projection to twice the rows and columns."""
    i, j, k, o = synapse[-4:]
    found: Terms = []
    for n, r, c in np.ndindex(pre.shape[:3]):
        y, x = 2 * r + i - 1, 2 * c + j - 1
        if 0 <= y < post.shape[1] and 0 <= x < post.shape[2]:
            found.append(((n, y, x), float(pre[n, r, c, k]), float(post[n, y, x, o])))
    return found


def _of_prediction(view: Array, factor: Array, synapse: tuple[int, ...]) -> Terms:
    """Terms of a prediction: view ``(picture x grid x grid, place, unit)``, factor ``(row, picture, grid, place, unit)``."""
    k, i, u = synapse
    grid, view = factor.shape[2], view.reshape(len(view), -1, factor.shape[4])
    return [
        ((n, k, c), float(view[(n * grid + k) * grid + c, q, i]), float(factor[k, n, c, q, u]))
        for n, c, q in np.ndindex(factor.shape[1:4])
    ]
