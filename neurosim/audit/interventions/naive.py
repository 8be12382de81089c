"""Weight changes again, one synapse at a time, by plain loops in float64."""

from __future__ import annotations

import numpy as np

from neurosim.audit.graph.graph import WEIGHTS, Site
from neurosim.audit.graph.structure import PER_ROW, Structure
from neurosim.core.buffer import Buffer
from neurosim.kernels import reference

SYNAPSES = 6  # of every array, drawn at random
LOOSE = {2: 1e-2, 4: 2e-5, 8: 1e-11}  # relative difference that rounding explains, by bytes of a number


def unfolded(post: np.ndarray) -> np.ndarray:
    """``(sample, window, row, column, channel)`` put back at its places; the rest as it is."""
    if post.ndim != 5:
        return post
    n, _, rows, columns, channels = post.shape
    return post.reshape(n, 2, 2, rows, columns, channels).transpose(0, 3, 1, 4, 2, 5).reshape(n, 2 * rows, -1, channels)


def terms(pre: np.ndarray, post: np.ndarray, synapse: tuple[int, ...]) -> list[tuple[tuple[int, ...], float, float]]:
    """What one synapse multiplies: ``((sample, row, column), pre, post)`` for every view (and place).

    Args:
        pre: ``(sample, row, column, channel)`` or ``(sample, presynaptic)``.
        post: ``(sample, row, column, channel)``, pooled or not, or ``(sample, postsynaptic)``.
        synapse: ``(tap row, tap column, in, out)``, ``(presynaptic, postsynaptic)``, ``(row of the grid, in, out)`` of a
            prediction, or ``(row, column, tap row, tap column, in, out)`` of weights of every place's own.
    """
    if len(synapse) == 3:
        return _predicted(pre, post, synapse)
    folded, post = post, unfolded(post)
    if pre.shape == (1,):  # the constant unit of a bias
        return [(place, float(pre[0]), float(post[(*place, synapse[-1])])) for place in np.ndindex(post.shape[:-1])]
    if len(synapse) == 2:
        flat, above = pre.reshape(len(pre), -1), folded.reshape(len(folded), -1)
        return [((n,), float(flat[n, synapse[0]]), float(above[n, synapse[1]])) for n in range(len(above))]
    place, (i, j, k, o) = synapse[:-4], synapse[-4:]
    found = []
    if post.shape[1] == 2 * pre.shape[1]:  # a projection to twice the rows and columns
        for n, r, c in np.ndindex(pre.shape[:3]):
            y, x = 2 * r + i - 1, 2 * c + j - 1
            if 0 <= y < post.shape[1] and 0 <= x < post.shape[2]:
                found.append(((n, y, x), float(pre[n, r, c, k]), float(post[n, y, x, o])))
        return found
    for n, r, c in np.ndindex(post.shape[:3]):
        y, x = r + i - 1, c + j - 1
        if 0 <= y < pre.shape[1] and 0 <= x < pre.shape[2] and place in ((), (r, c)):
            found.append(((n, r, c), float(pre[n, y, x, k]), float(post[n, r, c, o])))
    return found


def _predicted(view: np.ndarray, factor: np.ndarray, synapse: tuple[int, ...]) -> list:
    """Terms of a prediction: view ``(picture x grid x grid, place, unit)``, factor ``(row, picture, grid, place, unit)``."""
    k, i, u = synapse
    grid, view = factor.shape[2], view.reshape(len(view), -1, factor.shape[4])
    places = [(n, c, q) for n, c, q in np.ndindex(factor.shape[1:4])]
    return [((n, k, c), float(view[(n * grid + k) * grid + c, q, i]), float(factor[k, n, c, q, u])) for n, c, q in places]


def products_differ(bench, moment, rng) -> tuple[str, int, float]:
    """Recompute some synapses of a change from the stored activity and the factor.

    Returns:
        What differs ("" if nothing), how many synapses were recomputed, the largest relative difference.
    """
    site = moment.site
    [(argument, change)] = list(site.step.changed.items())[:1]
    pair = pair_of(site) or _twin(bench, site, change)
    if pair is None:
        return "made of no pair of activities", 0, 0.0
    pre, post = _values(bench, moment, *pair)
    found, worst = bench.after[moment][argument], 0.0
    synapses = {tuple(int(rng.integers(size)) for size in change.shape) for _ in range(SYNAPSES)}
    for synapse in synapses:
        place = synapse
        if len(synapse) == 7:  # (row, row of the window, column, ...): rows of pooled weights, two and two
            place = (synapse[0] * change.shape[1] + synapse[1], *synapse[2:])
        products = [a * b for _, a, b in terms(pre, post, place)]
        total, met = sum(products), float(found[synapse])
        error = abs(total - met) / max(sum(map(abs, products)), 1e-30)
        if not (error < LOOSE[change.dtype.itemsize] or abs(total - met) < 1e-30):
            return f"{change.name} at {synapse} is {met:.6g}, the sum of its products {total:.6g}", len(synapses), 1.0
        worst = max(worst, error if np.isfinite(error) else 0.0)
    return "", len(synapses), worst


def pair_of(site: Site) -> tuple[Buffer, Buffer] | None:
    """The presynaptic and the postsynaptic buffer that a product reads."""
    factors = [b for b in site.step.reads.values() if b.role == "error"]
    causes = [b for b in site.step.reads.values() if b.role in ("activity", "image")]
    if not factors and len(causes) > 1:  # a synapse between two activities
        factors = [causes.pop()]
    return (causes[0], factors[0]) if causes and factors else None


def _twin(bench, site: Site, change: Buffer) -> tuple[Buffer, Buffer] | None:
    """The pair of another product of the same two populations: what a change that is copied must still equal."""
    weight = next((b for b in bench.bases if b.role in WEIGHTS and b.owner == change.owner), None)
    ends = Structure(bench.graph).ends(weight) if weight is not None else set()
    for other in bench.graph.phases[site.phase]:
        pair = pair_of(other) if other.kind == "hebbian" and other is not site else None
        shapes = [b.shape for b in other.step.changed.values()]
        if pair and {pair[0].owner, pair[1].owner} in ends and change.shape in shapes:
            return pair
    return None


def _values(bench, moment, pre: Buffer, post: Buffer) -> tuple[np.ndarray, np.ndarray]:
    """What this batch stored of both: the forward pass left the one, the delivery of errors the other."""
    factor = _left(bench, moment, post, False)
    cause = _left(bench, moment, pre, True)
    rows = pre.axes[0] in PER_ROW and post.axes[0] in PER_ROW
    return cause[len(cause) - len(factor) :] if rows else cause, factor


def _left(bench, moment, buffer: Buffer, forward: bool) -> np.ndarray:
    """What the last step that made all of a buffer left in it; before this step, or else after it; of the same batch."""
    sites = bench.graph.phases[moment.site.phase]
    before, after = sites[: moment.site.number - 1], sites[moment.site.number :]
    for site in (*reversed(before), *after):
        for key, made in site.step.changed.items():
            whole = made.base is buffer.base and made.shape[0] == buffer.base.shape[0]
            if whole and (site in bench.graph.forward or not forward):
                maker = next(m for m in bench.moments if m.site is site and m.batch == moment.batch)
                left = bench.after[maker][key]
                return left.reshape(buffer.shape) if left.size == np.prod(buffer.shape) else left
    return next(v for k, v in bench.before[moment].items() if moment.site.inputs[k].name == buffer.name)


def settling_differs(bench, moment, rng) -> tuple[str, int, float]:
    """Recompute what a plasticity makes of some synapses' own change and traces.

    Returns:
        As `products_differ`.
    """
    step, given = moment.site.step, bench.before[moment]
    [(argument, weight)] = [(k, b) for k, b in step.updates.items() if b.role in WEIGHTS][:1]
    size = int(np.prod(weight.shape))
    if step.function is not None or not hasattr(reference, step.kernel):
        return _elementwise(bench, moment, rng, argument)
    chosen = np.unique(rng.integers(size, size=SYNAPSES))
    single = {k: v.reshape(-1)[chosen].astype(float) if v.size == size else v.copy() for k, v in given.items()}
    before = single[argument].copy()
    getattr(reference, step.kernel)(**single, **step.scalars)
    found = bench.after[moment][argument].reshape(-1)[chosen]
    scale = np.abs(before) + np.abs(single[argument] - before) + 1e-30
    error = np.abs(found - single[argument]) / scale
    turned = np.isclose(single.get("trace", np.ones(1)), 0, atol=1e-12)  # a sign that rounding may turn
    error = np.where(turned, 0, error)
    worst = int(np.argmax(error))
    if not error[worst] < LOOSE[weight.dtype.itemsize]:
        return (f"{weight.name} at synapse {chosen[worst]} becomes {found[worst]:.6g}, by its own change and traces "
                f"{single[argument][worst]:.6g}"), len(chosen), 1.0  # fmt: skip
    return "", len(chosen), float(error.max())


def _elementwise(bench, moment, rng, argument) -> tuple[str, int, float]:
    """A plasticity that is not of the protocol: one synapse's change altered, no other weight may differ."""
    site, given = moment.site, bench.before[moment]
    keys = [k for k, b in site.step.reads.items() if b.role == "change"]
    size = given[argument].size
    if not keys:
        return "no outer product is among what it reads", 0, 0.0
    chosen = int(rng.integers(size))

    def left(altered: bool) -> np.ndarray:
        bench.restore()
        for k, b in site.inputs.items():
            b.array[...] = given[k]
        if altered:
            line = site.step.reads[keys[0]].array.reshape(-1)
            line[chosen] = 2 * line[chosen] + 1
        bench.run(site)
        return site.step.updates[argument].array.copy().reshape(-1)

    one, other = left(False), left(True)
    bench.restore()
    others = np.flatnonzero(one != other)
    if set(others.tolist()) - {chosen}:
        return f"the change of synapse {chosen} altered: {len(others)} weights of {site.step.updates[argument].name} differ", 1, 1.0
    return "", 1, 0.0
