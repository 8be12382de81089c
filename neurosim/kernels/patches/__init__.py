"""Comparisons of patches of one picture instead of two views, and the synapses that predict one patch from another.

What belongs here compares, or predicts, along the grid of patches; anything else that a loss computes is declared in the
loss's own file, or in `neurosim.kernels.comparison` where several losses share it.

The rows of ``view`` are N pictures of G x G patches, picture by picture, row by row. The patch in row k of the grid is
the *anchor* of the patches in rows k+2.. of its column; each of these comes with so many random patches of the batch.
``negative`` holds those: for k = 0, 1, ... the numbers ``(N, (G - k - 2) x negatives, G)``, one after another. A comparison
leaves in ``error`` the derivative of its loss by the activity, and adds to ``value`` the loss, the number of active
comparisons and the number of all. D units; P places, at each of which a patch has D channels.
"""

from __future__ import annotations

from math import prod

from neurosim.core.arguments import Sizes
from neurosim.core.kernel import Kernel, Kind

_VIEW, _PREDICTION, _WEIGHT = "patch place unit", "row picture column place unit", "row unit unit"


def _products(sizes: Sizes) -> int:
    """One matrix of predictions a row of anchors, applied at every place of every anchor."""
    return 2 * prod(sizes[axis] for axis in ("row", "picture", "column", "place", "unit", "unit"))


gaze = Kernel(
    "gaze",
    kind=Kind.COMPARE,
    reads={"view": "patch unit", "negative": "comparison: index"},
    writes={"error": "patch unit"},
    sums={"value": "3: float64"},
    scalars=("grid", "negatives", "margin_positive", "margin_negative"),
    equation="value = sum [d(z_anchor, z_ahead) - m+]_+ + sum [m- - d(z_anchor, z_random)]_+",
)

predict = Kernel(
    "predict",
    kind=Kind.TRANSMIT,
    reads={"view": _VIEW, "weight": _WEIGHT},
    writes={"prediction": _PREDICTION},
    scalars=("grid",),
    equation="prediction[k] = weight[k] view[row k]",
    flops=_products,
)

clapp = Kernel(
    "clapp",
    kind=Kind.COMPARE,
    reads={"view": _VIEW, "prediction": _PREDICTION, "negative": "comparison: index"},
    writes={"error": _VIEW, "factor": _PREDICTION},
    sums={"value": "3: float64"},
    scalars=("grid", "negatives"),
    equation="value = sum_k mean [1 - <z_ahead, prediction[k]>]_+ + mean [1 + <z_random, prediction[k]>]_+",
)

deliver_prediction = Kernel(
    "deliver_prediction",
    kind=Kind.DELIVER,
    reads={"factor": _PREDICTION, "weight": _WEIGHT},
    updates={"error": _VIEW},
    scalars=("grid",),
    equation="error[row k] += weight[k]^T factor[k]",
    flops=_products,
)

hebbian_prediction = Kernel(
    "hebbian_prediction",
    kind=Kind.HEBBIAN,
    reads={"view": _VIEW, "factor": _PREDICTION},
    writes={"change": _WEIGHT},
    scalars=("grid",),
    equation="change[k] = sum view[row k] (x) factor[k]",
    flops=_products,
)
