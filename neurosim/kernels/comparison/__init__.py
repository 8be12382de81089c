"""Comparisons of two views' activities that several losses, or the audit, know: the contrastive hinges.

What stands here are the two hinges of Tang, Yang, Amit 2022 and what the comparisons of other losses share: one hinge of two
activities (`reference.compare`), and on a GPU the notes that comparisons leave, their sums, and the errors that are gathered
from them (`gpu.notes`, `gpu.tally`, `gpu.pull`). A comparison that one loss alone uses is declared in the loss's own file.

Symbols: ``z1``, ``z2`` top activities ``(N, D)`` of view 1 and view 2; ``d(a, b) = sum_u |a_u - b_u|``;
``[x]_+ = max(x, 0)``; margins ``m+`` and ``m-``. Every comparison leaves in ``error1`` and ``error2`` the derivative of
its loss by the two views' activities, and adds to ``value`` the loss, the number of active comparisons and the number of all.
"""

from __future__ import annotations

from neurosim.core.kernel import Kernel, Kind

hinge_all = Kernel(
    "hinge_all",
    kind=Kind.COMPARE,
    reads={"view1": "pair unit", "view2": "moment unit", "index": "moment: index"},
    writes={"error2": "moment unit"},
    sums={"value": "3: float64", "error1": "?pair unit"},
    scalars=("margin_positive", "margin_negative"),
    over="moment",
    equation="value = sum_i [d(z1_i, z2_i) - m+]_+ + sum_{i != k} [m- - d(z1_i, z2_k)]_+",
)

hinge_lags = Kernel(
    "hinge_lags",
    kind=Kind.COMPARE,
    reads={"trace": "stored unit", "cursor": "1: index", "view2": "moment unit", "index": "moment: index"},
    writes={"error2": "moment unit"},
    sums={"value": "3: float64", "error1": "?pair unit"},
    scalars=("pairs", "lags", "negative_weight", "margin_positive", "margin_negative"),
    over="moment",
    equation="value = sum_i [d(z1_i, z2_i) - m+]_+ + w sum_{lag=1}^{K-1} sum_i [m- - d(z1_i, z2_{i+lag})]_+",
)
