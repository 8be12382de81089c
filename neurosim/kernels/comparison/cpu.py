"""The contrastive hinges on NumPy arrays, whole rows at a time."""

from __future__ import annotations

import numpy as np

from neurosim.core import tuning
from neurosim.core.typing import Array
from neurosim.core.workspace import chunks, thread_local
from neurosim.kernels.comparison import hinge_all, hinge_lags
from neurosim.kernels.signs import signs


@hinge_all.cpu
def _(
    view1: Array,
    view2: Array,
    index: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    margin_positive: float,
    margin_negative: float,
) -> None:
    """Some moments against all others at a time; an inactive comparison weighs nothing."""
    pairs, units = view1.shape
    ones = np.ones(units, view1.dtype)
    for part in chunks(len(index), tuning.CPU.compared_moments):
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


@hinge_lags.cpu
def _(
    trace: Array,
    cursor: Array,
    view2: Array,
    index: Array,
    error2: Array,
    value: Array,
    error1: Array | None = None,
    *,
    pairs: int,
    lags: int,
    negative_weight: float,
    margin_positive: float,
    margin_negative: float,
) -> None:
    """All lags of some moments at a time."""
    rows = max(1, tuning.CPU.lagged_numbers // (lags * view2.shape[1]))
    sense = np.full(lags, -negative_weight, view2.dtype)
    sense[0] = 1
    for part in chunks(len(index), rows):
        source = index[part, None] - np.arange(lags)
        moment = cursor[0] - pairs + source
        apart, delta = (thread_local(n, (*moment.shape, view2.shape[1]), view2.dtype) for n in ("apart", "size"))
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
