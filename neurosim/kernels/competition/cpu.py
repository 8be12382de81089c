"""Competition on the CPU; reference.py says what each kernel computes."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.core.workspace import thread_local
from neurosim.kernels import competition


@competition.compete.cpu
def compete(
    potential: Array, threshold: Array, activity: Array, active: Array, wins: Array, *, kind: str, winners: int
) -> None:
    """The places of a block at once: k times the largest of a row."""
    u, y = potential.reshape(-1, potential.shape[-1]), activity.reshape(-1, activity.shape[-1])
    score = thread_local("score", u.shape, u.dtype)
    np.subtract(u, threshold, out=score)
    rows, best = np.arange(len(u)), np.empty((winners, len(u)), np.int64)
    if kind == "softhebb":
        np.subtract(score, score.max(axis=1, keepdims=True), out=y)
        np.exp(y, out=y)
        y /= -y.sum(axis=1, keepdims=True)
    else:
        y.fill(0)
    for k in range(winners):
        best[k] = score.argmax(axis=1)
        score[rows, best[k]] = -np.inf
    for won in best:
        high = u[rows, won]
        if kind == "softhebb":
            y[rows, won] *= -1
        else:
            y[rows, won] = (high > 0) * (high if kind == "oja" else 1)
        wins += np.bincount(won, weights=None if kind == "softhebb" else high > 0, minlength=len(wins))
    if kind == "winner":
        active += y.sum(axis=0)
    else:
        active += np.einsum("po,po->o", y, y if kind == "oja" else u)


@competition.to_synapses.cpu
def to_synapses(active: Array, at_synapses: Array, *, strength: float) -> None:
    """``at_synapses[..., o] = strength active[o]``."""
    np.multiply(active, at_synapses.dtype.type(strength), out=at_synapses)


@competition.adapt.cpu
def adapt(wins: Array, threshold: Array, value: Array, *, fair: float, homeostasis: float) -> None:
    """``theta += gamma (fair wins - 1)``."""
    threshold += (wins * threshold.dtype.type(homeostasis * fair)) - threshold.dtype.type(homeostasis)
    value[0] = np.mean(wins == 0)
