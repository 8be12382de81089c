"""Competition: the channels of a place compete, winners are drawn to what they won, thresholds keep all of them in play."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.errors import WiringError
from neurosim.kernels.competition import KINDS as KINDS  # rules name them
from neurosim.kernels.competition import adapt, compete, to_synapses
from neurosim.parts.synapse import LOCAL, Synapse

if TYPE_CHECKING:
    from neurosim.parts.projection import Projection

LONGER = 1.5  # direction: at first weights are so many times as long as they will be


class Competition:
    """The units of one layer compete, place by place, and each learns from the places that it won.

    Parameters:
        ========= ==== ================================================== =======
        name      unit math                                               default
        ========= ==== ================================================== =======
        y         1    activity after competition                         made anew
        a         1    ``sum y / l`` (winner), ``sum y u / l^2``          made anew
                       (direction), ``sum y^2 / l^2`` (oja),
                       ``sum y u`` (softhebb)
        theta     u    threshold, one a unit; ``theta += gamma (m share   0
                       - 1)``: share of the places won, m units
        ========= ==== ================================================== =======

    ``winner``: y is 1 for the k units with the largest ``u - theta``, if u is above 0, else 0 (Rumelhart and Zipser 1985):
    weights go to l times the mean of what their unit won. ``direction``: y is the same, but a weight decays by the potential
    of its unit besides: weights go to the direction of that mean and to the length l (Dhillon and Modha 2001). They begin
    longer than that, so that units that have not won yet are ahead of those that have. ``oja``: y is u there (Oja 1982):
    weights grow to the length l. ``softhebb``: y is the softmax of ``u - theta``, negative for all but
    the winner (Journe et al. 2023); it divides, so that it is a reference. Of equal units the first wins. The threshold
    grows where a unit wins more than its share, and falls where it wins less, so that none stays silent (Foldiak 1990).

    Args:
        projection: whose post competes and whose synapse learns, through a plasticity that reads ``a``.
        kind: one of `neurosim.kernels.competition.KINDS`.
        winners: k.
        homeostasis: gamma.
        length: l.

    Raises:
        WiringError: units of which none can lose, a bias (which competition would not teach), or weights of every place's own.
    """

    def __init__(self, projection: Projection, kind: str, winners: int, homeostasis: float, length: float = 1.0):
        self.projection, self.kind, self.winners, self.homeostasis = projection, kind, winners, homeostasis
        self.strength = 1 / length ** {"winner": 1, "oja": 2, "softhebb": 0, "direction": 2}[kind]
        post = projection.post
        _check(projection, winners)
        if kind == "direction":
            _lengthen(projection, LONGER * length)
        number, owner, u = post.number, post.activity.owner, post.potential
        start = post.learning
        self.potential = u.part(u.name, start, post.views) if start else u
        self.units, dtype = u.shape[-1], u.dtype
        shape = (post.views - start, *u.shape[1:])
        self.activity = Buffer(f"y{number}", u.axes, shape, Role.ACTIVITY, owner, dtype, local=True)
        line = ("channel",), (self.units,)
        self.threshold = Buffer(f"theta{number}", *line, Role.PLASTICITY, owner, dtype, lasts=True)
        self.wins = Buffer(f"wins{number}", *line, Role.VALUE, owner, dtype)
        self.active = Buffer(f"a{number}", *line, Role.VALUE, owner, dtype)
        self.silent = Buffer(f"silent{number}", ("value",), (1,), Role.VALUE, owner, np.float64)
        self.fair = self.units / (winners * int(np.prod(shape[:-1])))  # one by the wins that are a unit's share

    def compete(self) -> Iterator[Step]:
        """Who wins at every place, and how active every unit is in all."""
        u, y, theta = self.potential, self.activity, self.threshold
        words = {
            "winner": f"1 for the {self.winners} largest {u.name} - {theta.name}",
            "direction": f"1 for the {self.winners} largest {u.name} - {theta.name}",
            "oja": f"{u.name} for the {self.winners} largest {u.name} - {theta.name}",
            "softhebb": f"+-softmax({u.name} - {theta.name})",
        }
        arguments = {"potential": u, "threshold": theta, "activity": y, "active": self.active, "wins": self.wins}
        scalars = {"kind": self.kind, "winners": self.winners}
        label = f"channels of {y.owner} compete"
        yield Step(compete, label, f"{y.name} = {words[self.kind]}", arguments, scalars=scalars, over="sample")

    def hebbian(self) -> Iterator[Step]:
        """``c = sum of presynaptic activity x y``, of the interneurons too."""
        yield from self.projection.synapse.hebbian(self.projection.pre.active_part, self.activity)
        if self.projection.interneurons:
            yield from self.projection.interneurons.hebbian(self.activity)

    def apply_update(self) -> Iterator[Step]:
        """The lasting change of the weights, and of the thresholds."""
        for synapse in self.projection.synapses:
            yield from self._to_synapses(synapse)
            yield from synapse.consolidate()
        theta, wins = self.threshold, self.wins
        arguments = {"wins": wins, "threshold": theta, "value": self.silent}
        scalars = {"fair": self.fair, "homeostasis": self.homeostasis}
        equation = f"{theta.name} += gamma (m {wins.name} / all - 1)"
        yield Step(adapt, f"{theta.name} keeps all units in play", equation, arguments, scalars=scalars)

    def _to_synapses(self, synapse: Synapse) -> Iterator[Step]:
        """How active its unit was, at every synapse of an array."""
        times = f"{self.strength:g} " if self.strength != 1 else ""
        equation = f"a of every synapse of {synapse.name} = {times}{self.active.name} of its unit"
        arguments, scalars = (
            {"active": self.active, "at_synapses": synapse.state["active"]},
            {"strength": self.strength},
        )
        yield Step(
            to_synapses, f"activity reaches the synapses of {synapse.name}", equation, arguments, scalars=scalars
        )


def _lengthen(projection: Projection, wanted: float) -> None:
    """Give weights that were just drawn this mean length a unit, before anything is learned."""
    weight = projection.synapse.weight.host()
    gain = wanted / float(np.sqrt(np.square(weight).sum(axis=(0, 1, 2))).mean())
    for synapse in projection.synapses:
        synapse.rescale(gain)


def _check(projection: Projection, winners: int) -> None:
    """Refuse a projection whose units cannot compete.

    Raises:
        WiringError: what stands against it.
    """
    post = projection.post
    layer, units = post.activity.owner, post.shape[-1]
    if projection.bias is not None:
        actual, expected, hint = (
            f"{layer} has a bias and learns by competition",
            "thresholds alone",
            "leave bias out of it",
        )
    elif projection.synapse.axes is LOCAL:
        actual, expected = f"{layer} is local and learns by competition", "units that share their weights over places"
        hint = "leave local out of the layer, or take rule='ll'"
    elif winners >= units:
        actual, expected, hint = (
            f"winners={winners} of the {units} units of {layer}",
            "fewer winners",
            "write winners=1",
        )
    else:
        return
    raise WiringError(actual, expected, hint, argument="winners" if "winners" in actual else "network")
