"""How many dimensions activity fills, and how much of it all units share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neurosim.core.typing import Array


def participation(activity: Array) -> float:
    """The participation ratio of the covariance of units: ``(sum of its eigenvalues)^2 / sum of their squares``.

    1 where all activity lies along one line, as many as there are units where all vary alike and independently; never more
    than views less one. From the products of views, whose eigenvalues are the same (Gao et al. 2017).

    Args:
        activity: ``(view, ...)``, units along all other axes.

    Returns:
        0 where no unit varies.
    """
    centred = _centred(activity)
    products = centred @ centred.T
    squares = float(np.square(products).sum())
    return float(products.trace()) ** 2 / squares if squares else 0.0


def common(activity: Array) -> float:
    """The share of the variance along the direction in which all units go up and down together, 0 to 1.

    ``sum over views (sum over units x)^2 / (units * sum over views and units x^2)`` of activity less its mean over views:
    1 / units where units vary independently, 1 where all are one.

    Args:
        activity: ``(view, ...)``, units along all other axes.

    Returns:
        0 where no unit varies.
    """
    centred = _centred(activity)
    total = float(np.square(centred).sum()) * centred.shape[1]
    return float(np.square(centred.sum(axis=1)).sum()) / total if total else 0.0


def _centred(activity: Array) -> Array:
    table = activity.reshape(len(activity), -1).astype(np.float64)
    # The first view is taken off first: a unit that never varies is exactly 0 then, whatever its activity.
    table -= table[0].copy()
    table -= table.mean(axis=0)
    return table
