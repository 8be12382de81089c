"""Competition: who wins among the channels of a place, what reaches their synapses, thresholds that keep all in play.

What may be added: another way to compete, a word of `KINDS` and a branch in every form. Products with weights are in
`neurosim.kernels.convolution`; what becomes of them in `neurosim.plasticity`.

Symbols: u potential, y activity after competition, theta threshold; N samples, m units. Sources: Rumelhart and Zipser 1985,
Oja 1982, Foldiak 1990, Dhillon and Modha 2001, Journe et al. 2023.
"""

from __future__ import annotations

from neurosim.core.kernel import Kernel, Kind

KINDS = ("winner", "oja", "softhebb", "direction")
PLACES = "sample ... channel"

compete = Kernel(
    "compete",
    kind=Kind.RESPOND,
    reads={"potential": PLACES, "threshold": "channel"},
    writes={"activity": PLACES},
    sums={"active": "?channel", "wins": "?channel"},
    scalars=("kind", "winners"),
    over="sample",
    equation="activity = 1, or u, for the largest potential - threshold of a place; active += what decays weights",
)

to_synapses = Kernel(
    "to_synapses",
    kind=Kind.OTHER,
    reads={"active": "channel"},
    writes={"at_synapses": "... channel"},
    scalars=("strength",),
    equation="at_synapses[..., o] = strength active[o]",
)

adapt = Kernel(
    "adapt",
    kind=Kind.OTHER,
    reads={"wins": "channel"},
    updates={"threshold": "channel"},
    writes={"value": "?1: float64"},
    scalars=("fair", "homeostasis"),
    equation="threshold += homeostasis (fair wins - 1); value = share of channels without wins",
)
