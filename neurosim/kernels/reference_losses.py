"""The specification of the error units: naive float64 loops over pairs of activities.

Every kernel leaves in ``error1`` and ``error2`` the derivative of its loss by the two views' activities, and adds to
``value`` (float64 ``(3,)``) the loss, the number of active comparisons and the number of comparisons. Symbols:
``z1, z2`` top activities ``(N, D)`` of view 1 and view 2, ``d(a, b) = sum_u |a_u - b_u|``, ``[x]_+ = max(x, 0)``,
margins ``m+`` and ``m-``. Source: Tang, Yang, Amit 2022, equations of section 2; science of the others at each.
"""

import numpy as np


def _compare(a, b, sense, margin, weight, value):
    """One hinge ``weight [sense (d(a, b) - margin)]_+``; its derivative by b (by a it is the opposite)."""
    hinge = sense * (np.abs(b - a).sum() - margin)
    value[2] += 1
    if hinge <= 0:
        return np.zeros_like(b)
    value[0] += weight * hinge
    value[1] += 1
    return sense * weight * np.sign(b - a)


def hinge_all(view1, view2, index, error2, value, error1=None, *, margin_positive, margin_negative):
    """Contrastive hinge, all negatives: ``sum_i [d(z1_i, z2_i) - m+]_+ + sum_{i != k} [m- - d(z1_i, z2_k)]_+``.

    Args:
        view1: ``(N, D)``, every moment's view 1.
        view2: ``(n, D)``, some moments' view 2.
        index: int64 ``(n,)``, which moments those are.
        error2: ``(n, D)``, written.
        value: ``(3,)``, added to.
        error1: ``(N, D)``, added to; None under the gradient block.
    """
    for row, k in enumerate(index):
        error2[row] = 0
        for i in range(len(view1)):
            sense, margin = (1, margin_positive) if i == k else (-1, margin_negative)
            delta = _compare(view1[i], view2[row], sense, margin, 1, value)
            error2[row] += delta
            if error1 is not None:
                error1[i] -= delta


def hinge_lags(
    trace, cursor, view2, index, error2, value, error1=None, *, pairs, lags, negative_weight, margin_positive, margin_negative
):
    """Contrastive hinge against the memory of K lags.

    ``sum_i [d(z1_i, z2_i) - m+]_+ + w sum_{lag=1}^{K-1} sum_i [m- - d(z1_i, z2_{i+lag})]_+``, over the moments of
    the stream: memories of earlier batches count, moments before the stream's beginning do not.

    Args:
        trace: ``(capacity, D)``, the ring of view 1 activities, this batch's already stored.
        cursor: int64 ``(1,)``, how many were ever stored.
        view2: ``(n, D)``, view 2 of the moments ``index`` of this batch.
        index: int64 ``(n,)``.
        error2: ``(n, D)``, written.
        value: ``(3,)``, added to.
        error1: ``(pairs, D)``, added to; None under the gradient block. The past cannot be changed: memories of
            earlier batches receive no error.
        pairs: N, the moments of this batch.
        lags: K, the positive and K - 1 negatives.
        negative_weight: w, 1/K as published.
    """
    for row, k in enumerate(index):
        error2[row] = 0
        for lag in range(lags):
            moment = cursor[0] - pairs + k - lag
            if moment < 0:
                continue
            sense, margin, weight = (1, margin_positive, 1) if lag == 0 else (-1, margin_negative, negative_weight)
            delta = _compare(trace[moment % len(trace)], view2[row], sense, margin, weight, value)
            error2[row] += delta
            if error1 is not None and k - lag >= 0:
                error1[k - lag] -= delta


def hinge_mean(view1, view2, error1, error2, value, *, margin_positive, margin_negative):
    """All 2N activities against each other, negatives averaged over the active ones of each row, mean over 2N rows.

    It divides by a count. Source: the target propagation code of Tang, Yang, Amit 2022. All arrays ``(N, D)``.
    """
    z = np.concatenate([view1, view2])
    error, pairs = np.zeros_like(z), len(view1)
    for i in range(len(z)):
        partner = (i + pairs) % len(z)
        others = [j for j in range(len(z)) if j not in (i, partner)]
        active = [j for j in others if np.abs(z[i] - z[j]).sum() < margin_negative]
        for j in [partner, *others]:
            sense, margin = (1, margin_positive) if j == partner else (-1, margin_negative)
            weight = 1 / len(z) if j == partner else 1 / (len(z) * max(1, len(active)))
            delta = _compare(z[j], z[i], sense, margin, weight, value)
            error[i] += delta
            error[j] -= delta
    error1[...], error2[...] = error[:pairs], error[pairs:]


def positive(view1, view2, error1, error2, value):
    """Positives only: ``1/(2N) mean_i d(z1_i, z2_i)``, N pairs. It collapses: for teaching. All ``(N, D)``."""
    pairs = len(view1)
    for i in range(pairs):
        error2[i] = _compare(view1[i], view2[i], 1, 0, 1 / (2 * pairs**2), value)
        error1[i] = -error2[i]


def nt_xent(view1, view2, error1, error2, value, *, temperature, scale):
    """NT-Xent: ``scale mean_i -log(exp(s_ip / tau) / sum_{j != i} exp(s_ij / tau))``, s the cosine of 2N activities.

    It normalises, multiplies activities and divides: it breaks condition (ii). Source: Chen et al. 2020; scale 2 is
    the sum of the two views' means. All arrays ``(N, D)``.
    """
    z = np.concatenate([view1, view2])
    count, pairs = len(z), len(view1)
    length = np.sqrt((z * z).sum(1))
    unit, toward = z / length[:, None], np.zeros(z.shape)
    for i in range(count):
        partner = (i + pairs) % count
        others = [j for j in range(count) if j != i]
        s = {j: unit[i] @ unit[j] / temperature for j in others}
        top = max(s.values())
        total = sum(np.exp(s[j] - top) for j in others)
        value[0] += scale / count * (np.log(total) + top - s[partner])
        for j in others:
            slope = scale / count / temperature * (np.exp(s[j] - top) / total - (j == partner))
            toward[i] += slope * unit[j]
            toward[j] += slope * unit[i]
    value[1:] += count * (count - 1)
    for i in range(count):
        (error1 if i < pairs else error2)[i % pairs] = (toward[i] - unit[i] * (unit[i] @ toward[i])) / length[i]


def barlow(view1, view2, error1, error2, value, *, off_diagonal, scale, epsilon):
    """Barlow Twins: ``scale (sum_i (c_ii - 1)^2 + lambda sum_{i != j} c_ij^2)``, ``c = n1^T n2 / N``.

    ``n`` are activities normalised over the batch, ``(z - mean) / sqrt(variance + epsilon)``. It normalises: it breaks
    condition (ii). Source: Zbontar et al. 2021. All arrays ``(N, D)``.
    """
    pairs, units = view1.shape
    spread = [np.sqrt(z.var(0) + epsilon) for z in (view1, view2)]
    normal = [(z - z.mean(0)) / s for z, s in zip((view1, view2), spread, strict=True)]
    toward = [np.zeros((pairs, units)), np.zeros((pairs, units))]
    for i, j in np.ndindex(units, units):
        c = (normal[0][:, i] * normal[1][:, j]).sum() / pairs
        weight, miss = (1, c - 1) if i == j else (off_diagonal, c)
        value += [scale * weight * miss**2, 1, 1]
        slope = 2 * scale * weight * miss / pairs
        toward[0][:, i] += slope * normal[1][:, j]
        toward[1][:, j] += slope * normal[0][:, i]
    for error, t, n, s in zip((error1, error2), toward, normal, spread, strict=True):
        error[...] = (t - t.mean(0) - n * (t * n).mean(0)) / s
