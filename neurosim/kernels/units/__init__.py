"""Kernels of units: how they respond to their potential, pool, gate the error they receive, and are given targets.

What may be added: work that every unit, or every 2 x 2 window of units, does by itself. Products with weights are in
`neurosim.kernels.dense` and `neurosim.kernels.convolution`, comparisons of views with the losses. A nonlinearity is added
to `NONLINEARITIES`, to ``respond`` and ``gate`` in cpu.py, and to ``respond`` and ``slope`` in prelude.cu.

Symbols: u potential, x activity, e error, t target. Maps are ``(sample, row, column, channel)``; where a layer is pooled its
potentials are ``(sample, window, row, column, channel)``: the second axis is the place in the 2 x 2 window, row by row.
Sources of targets: difference target propagation, Lee et al. 2015; its noise, Tang, Yang, Amit 2022.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.core.kernel import Kernel, Kind

CLOSED = 4  # a winner's number where hardtanh is saturated: none of the four places receives the error


@dataclass(frozen=True)
class Nonlinearity:
    """How a unit responds to its potential u, and how steeply, in terms of its activity x; it never falls.

    Args:
        number: its name in CUDA, see prelude.cu.
        phi: ``x = phi(u)``, of one number of whatever real type.
        slope: ``phi'(u)``, from x, likewise.
        slope_text: the same as a formula of ``x``.
        lateral: the other channels of a place inhibit the unit first: their mean is subtracted from u.
    """

    number: int
    phi: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    slope_text: str
    lateral: bool = False


NONLINEARITIES = {
    "hardtanh": Nonlinearity(0, lambda u: min(1.0, max(-1.0, u)), lambda x: float(-1 < x < 1), "(|x| < 1)"),
    "tanh": Nonlinearity(1, np.tanh, lambda x: 1 - x * x, "(1 - x^2)"),
    "linear": Nonlinearity(2, lambda u: u, lambda x: 1.0, "1"),
    "rectified": Nonlinearity(3, lambda u: max(0.0, u), lambda x: float(x > 0), "(x > 0)"),
    "inhibited": Nonlinearity(3, lambda u: max(0.0, u), lambda x: float(x > 0), "(x > 0)", lateral=True),
    "saturating": Nonlinearity(
        4, lambda u: min(1.0, max(0.0, u)), lambda x: float(0 < x < 1), "(0 < x < 1)", lateral=True
    ),
}

ANY = "sample ..."
CHANNELS = "sample ... channel"
MAP = "sample row column channel"
POOLED = "sample 4 row column channel"
DOUBLE_MAP = "sample 2*row 2*column channel"

activate = Kernel(
    "activate",
    kind=Kind.RESPOND,
    reads={"potential": ANY},
    writes={"activity": ANY},
    scalars=("nonlinearity",),
    over="sample",
    equation="activity = phi(potential)",
)

inhibit = Kernel(
    "inhibit",
    kind=Kind.RESPOND,
    updates={"potential": CHANNELS},
    over="sample",
    equation="potential[..., o] -= mean over channels of potential[..., :]",
)

inhibit_factor = Kernel(
    "inhibit_factor",
    kind=Kind.GATE,
    updates={"post": CHANNELS},
    over="sample",
    equation="post[..., o] -= mean over channels of post[..., :]",
)

pool = Kernel(
    "pool",
    kind=Kind.RESPOND,
    reads={"potential": POOLED},
    writes={"activity": MAP, "winner": f"?{MAP}: uint8"},
    scalars=("nonlinearity",),
    over="sample",
    equation="activity = phi(max over the window of potential); winner = argmax, 4 where hardtanh is saturated",
)

gate = Kernel(
    "gate",
    kind=Kind.GATE,
    reads={"activity": ANY, "error": ANY},
    writes={"post": ANY},
    scalars=("nonlinearity",),
    over="sample",
    equation="post = phi'(u) error",
)

gate_pooled = Kernel(
    "gate_pooled",
    kind=Kind.GATE,
    reads={"activity": MAP, "winner": f"{MAP}: uint8", "error": MAP},
    writes={"post": POOLED},
    scalars=("nonlinearity",),
    over="sample",
    equation="post = phi'(u) error at the winner, 0 at the other places of the window",
)

pool_mean = Kernel(
    "pool_mean",
    kind=Kind.RESPOND,
    reads={"potential": POOLED},
    writes={"activity": MAP},
    scalars=("nonlinearity",),
    over="sample",
    equation="activity = mean over the window of phi(potential)",
)

gate_mean = Kernel(
    "gate_mean",
    kind=Kind.GATE,
    reads={"potential": POOLED, "error": MAP},
    writes={"post": POOLED},
    scalars=("nonlinearity",),
    over="sample",
    equation="post = phi'(potential) error / 4 at every place of the window",
)

average = Kernel(
    "average",
    kind=Kind.RESPOND,
    reads={"activity": DOUBLE_MAP},
    writes={"mean": MAP},
    over="sample",
    equation="mean[n, r, c, o] = sum_ij activity[n, 2r + i, 2c + j, o] / 4",
)

spread = Kernel(
    "spread",
    kind=Kind.GATE,
    reads={"mean": MAP},
    writes={"error": DOUBLE_MAP},
    over="sample",
    equation="error[n, 2r + i, 2c + j, o] = mean[n, r, c, o] / 4",
)

add_noise = Kernel(
    "add_noise",
    kind=Kind.RESPOND,
    reads={"activity": ANY, "noise": ANY},
    writes={"noisy": ANY},
    scalars=("sigma",),
    over="sample",
    equation="noisy = activity + sigma noise",
)

set_target = Kernel(
    "set_target",
    kind=Kind.GATE,
    reads={"activity": ANY, "error": ANY},
    writes={"target": ANY},
    scalars=("step",),
    over="sample",
    equation="target = activity - step error",
)

local_loss = Kernel(
    "local_loss",
    kind=Kind.COMPARE,
    reads={"activity": ANY, "target": ANY},
    writes={"error": ANY},
    sums={"value": "?1: float64"},
    scalars=("scale",),
    over="sample",
    equation="error = 2 scale (activity - target); value += scale |activity - target|^2",
)

propagate_target = Kernel(
    "propagate_target",
    kind=Kind.GATE,
    reads={"activity": ANY, "restored": ANY, "restored_target": ANY},
    writes={"target": ANY},
    over="sample",
    equation="target = activity - restored + restored_target",
)
