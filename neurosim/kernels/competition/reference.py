"""The specification of competition: naive loops."""

from __future__ import annotations

import numpy as np

from neurosim.core.typing import Array
from neurosim.kernels import competition


@competition.compete.reference
def compete(
    potential: Array, threshold: Array, activity: Array, active: Array, wins: Array, *, kind: str, winners: int
) -> None:
    """Who wins at every place: the k largest ``u - theta``, of equal ones the first.

    Args:
        potential: ``(N, ..., m)``. threshold: ``(m,)``.
        activity: ``(N, ..., m)``, written. active, wins: ``(m,)``, added to.
        kind: ``winner``, ``direction``: y = 1 where u is above 0; ``oja``: y = u there; ``softhebb``: softmax, negative for losers.
        winners: k.
    """
    for place in np.ndindex(potential.shape[:-1]):
        u = potential[place]
        score = [u[o] - threshold[o] for o in range(len(u))]
        order = sorted(range(len(u)), key=lambda o: (-score[o], o))[:winners]
        weights = [np.exp(each - max(score)) for each in score]
        for o in range(len(u)):
            won = o in order and (kind == "softhebb" or u[o] > 0)
            y = {"winner": 1.0, "direction": 1.0, "oja": u[o]}.get(kind, 0.0) if won else 0.0
            if kind == "softhebb":
                y = weights[o] / sum(weights) * (1 if won else -1)
            activity[(*place, o)] = y
            active[o] += {"winner": y, "oja": y * y}.get(kind, y * u[o])
            wins[o] += won


@competition.to_synapses.reference
def to_synapses(active: Array, at_synapses: Array, *, strength: float) -> None:
    """``at_synapses[..., o] = strength active[o]``: every synapse knows how active its own unit was; ``(..., m)``, ``(m,)``."""
    for synapse in np.ndindex(at_synapses.shape):
        at_synapses[synapse] = strength * active[synapse[-1]]


@competition.adapt.reference
def adapt(wins: Array, threshold: Array, value: Array, *, fair: float, homeostasis: float) -> None:
    """``theta += gamma (fair wins - 1)``, all ``(m,)``; fair wins is 1 for a unit that wins its share."""
    for o in range(len(threshold)):
        threshold[o] += homeostasis * (fair * wins[o] - 1)
    value[0] = sum(n == 0 for n in wins) / len(wins)
