"""Error units of the CPU, whole rows at a time; `neurosim.kernels.reference_losses` says what each computes."""

import numpy as np

from neurosim.kernels.cpu_units import signs
from neurosim.kernels.workspace import chunks, thread_local

LAGGED = 1 << 16  # moments times lags times units compared at once with the memory: calls are long enough, arrays small
HINGE_ROWS = 8  # moments compared at once: few enough to stay in the cache, enough to keep the calls few


def hinge_all(view1, view2, index, error2, value, error1=None, *, margin_positive, margin_negative):
    """Contrastive hinge, all negatives; an inactive comparison weighs nothing."""
    pairs, units = view1.shape
    ones = np.ones(units, view1.dtype)
    for part in chunks(len(index), HINGE_ROWS):
        moments = index[part]
        apart, size = (thread_local(name, (len(moments), pairs, units), view1.dtype) for name in ("apart", "size"))
        np.subtract(view2[part, None], view1, out=apart)
        np.abs(apart, out=size)
        # [sense (d - margin)]_+ with sense +1 for the same image, -1 for the others
        hinge = margin_negative - (size.reshape(-1, units) @ ones).reshape(-1, pairs)
        own = (np.arange(len(moments)), moments)
        hinge[own] = margin_negative - margin_positive - hinge[own]
        active = hinge > 0
        weight = -active.astype(view1.dtype)
        weight[own] = active[own]
        signs(apart, size)  # sums of -1, 0 and 1 are exact: their order does not matter
        np.matmul(weight[:, None], size, out=error2[part, None])
        if error1 is not None:
            error1 -= np.einsum("rp,rpu->pu", weight, size)
        value += (float(hinge[active].sum()), int(active.sum()), hinge.size)


def hinge_lags(
    trace, cursor, view2, index, error2, value, error1=None, *, pairs, lags, negative_weight, margin_positive, margin_negative
):
    """Contrastive hinge against the memory of K lags, all lags of some moments at a time."""
    rows = max(1, LAGGED // (lags * view2.shape[1]))
    back = np.arange(lags)
    sense = np.full(lags, -negative_weight, view2.dtype)
    sense[0] = 1
    for part in chunks(len(index), rows):
        source = index[part, None] - back
        moment = cursor[0] - pairs + source
        apart, delta = (thread_local(name, (*moment.shape, view2.shape[1]), view2.dtype) for name in ("apart", "size"))
        np.subtract(view2[part, None], trace[moment % len(trace)], out=apart)
        np.abs(apart, out=delta)
        hinge = margin_negative - delta.sum(axis=2)
        hinge[:, 0] = margin_negative - margin_positive - hinge[:, 0]
        known = moment >= 0  # there is nothing before the beginning of the stream
        active = (hinge > 0) & known
        signs(apart, delta)
        delta *= sense[:, None]
        delta *= active[..., None]
        delta.sum(axis=1, out=error2[part])
        if error1 is not None:
            for lag in range(lags):
                here = np.flatnonzero(active[:, lag] & (source[:, lag] >= 0))
                error1[source[here, lag]] -= delta[here, lag]
        weighed = np.abs(sense) * np.where(active, hinge, 0).sum(axis=0)
        value += (float(weighed.sum()), int(active.sum()), int(known.sum()))


def hinge_mean(view1, view2, error1, error2, value, *, margin_positive, margin_negative):
    """Mean-over-active hinge: rows of all 2N activities against all others."""
    z = np.concatenate([view1, view2])
    error, count, pairs = np.zeros_like(z), len(z), len(view1)
    for i in range(count):
        partner = (i + pairs) % count
        apart = z[i] - z
        distance = np.abs(apart).sum(axis=1)
        hinge = margin_negative - distance
        hinge[[i, partner]] = 0
        active = np.flatnonzero(hinge > 0)
        weight = 1 / (count * max(1, len(active)))
        delta = -np.sign(apart[active]) * z.dtype.type(weight)
        error[i] += delta.sum(axis=0)
        error[active] -= delta
        too_far = float(distance[partner]) - margin_positive
        if too_far > 0:
            toward = np.sign(apart[partner]) / z.dtype.type(count)
            error[i] += toward
            error[partner] -= toward
        loss = weight * float(hinge[active].sum()) + max(0.0, too_far) / count
        value += (loss, len(active) + (too_far > 0), count - 1)
    np.copyto(error1, error[:pairs])
    np.copyto(error2, error[pairs:])


def positive(view1, view2, error1, error2, value):
    """Positives only."""
    weight = 1 / (2 * len(view1) ** 2)
    apart = view2 - view1
    np.multiply(np.sign(apart), apart.dtype.type(weight), out=error2)
    np.negative(error2, out=error1)
    active = int((np.abs(apart).sum(axis=1) > 0).sum())
    value += (weight * float(np.abs(apart).sum()), active, len(view1))


def nt_xent(view1, view2, error1, error2, value, *, temperature, scale):
    """NT-Xent by one matrix of cosines."""
    z = np.concatenate([view1, view2])
    count, pairs = len(z), len(view1)
    length = np.sqrt((z * z).sum(axis=1, keepdims=True))
    unit = z / length
    cosine = unit @ unit.T / z.dtype.type(temperature)
    np.fill_diagonal(cosine, -np.inf)
    top = cosine.max(axis=1, keepdims=True)
    share = np.exp(cosine - top)
    total = share.sum(axis=1, keepdims=True)
    rows, partner = np.arange(count), (np.arange(count) + pairs) % count
    value[0] += scale * float((np.log(total) + top).mean() - cosine[rows, partner].mean())
    value[1:] += count * (count - 1)
    slope = share / total
    slope[rows, partner] -= 1
    slope *= z.dtype.type(scale / count / temperature)
    toward = (slope + slope.T) @ unit
    error = (toward - unit * (unit * toward).sum(axis=1, keepdims=True)) / length
    np.copyto(error1, error[:pairs])
    np.copyto(error2, error[pairs:])


def barlow(view1, view2, error1, error2, value, *, off_diagonal, scale, epsilon):
    """Barlow Twins by one matrix of correlations."""
    pairs, units = view1.shape
    spread = [np.sqrt(z.var(axis=0) + epsilon) for z in (view1, view2)]
    normal = [(z - z.mean(axis=0)) / s for z, s in zip((view1, view2), spread, strict=True)]
    miss = normal[0].T @ normal[1] / pairs - np.eye(units, dtype=view1.dtype)
    weight = np.full((units, units), off_diagonal)
    np.fill_diagonal(weight, 1)
    value += (scale * float((weight * miss**2).sum()), units**2, units**2)
    slope = (2 * scale / pairs * weight * miss).astype(view1.dtype)
    toward = (normal[1] @ slope.T, normal[0] @ slope)
    for error, t, n, s in zip((error1, error2), toward, normal, spread, strict=True):
        error[...] = (t - t.mean(axis=0) - n * (t * n).mean(axis=0)) / s
