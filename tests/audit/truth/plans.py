"""Random plans with a known answer: ``plans:Plan17`` is a rule, the same in every process, and `truth` says what it is.

A plan is a base rule (a network, a plasticity, feedback along the layers or straight from the head, fixed or learned), up
to two innocent traits, and in one half of all plans one guilty trait. The answer is known by construction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import guilty
import guilty_more
import guilty_subtle
import innocent
import innocent_more
import numpy as np
from parts import Base, Trait

GUILTY = [
    *(guilty.Relayed, guilty.OtherUnits, guilty.HiddenWeights, guilty.HiddenState, guilty.StartsAsCopy),
    *(guilty.InTheLoop, guilty.FalseRole, guilty_more.OtherSynapses, guilty_more.Arithmetic, guilty_more.Labels),
    *(guilty_more.Firewall, guilty_subtle.RareUnits, guilty_subtle.NumberOfWeights, guilty_subtle.DrawnWeights),
    *(guilty_subtle.StartsHidden, guilty_subtle.FewCopied),
]
INNOCENT = [
    *(innocent.Decay, innocent.UnitRates, innocent.Mask, innocent.SmoothError, innocent.ScaledError, innocent.Noise),
    *(innocent.Respond, innocent.Dale, innocent.Threshold, innocent.Reward, innocent.BatchMean, innocent.OwnRelayed),
    *(innocent.KolenPollack, innocent_more.Structured, innocent_more.Dropout, innocent_more.Leak, innocent_more.Mirror),
    *(innocent_more.Trace, innocent_more.TwoPopulations, innocent_more.Recurrent),
]
FEEDBACK = (innocent.KolenPollack, innocent_more.Mirror, innocent.OwnRelayed)  # they make feedback anew: at most one
WEIGHTS = (innocent.Dale, innocent_more.Structured)  # they set weights: then, at most one; before what copies them


@dataclass(frozen=True)
class Truth:
    """What is known of a plan.

    Args:
        seed: that names it.
        kind: the guilty trait, or the innocent ones together.
        guilty: whether it breaks a condition.
        network: that it is audited in.
    """

    seed: int
    kind: str
    guilty: bool
    network: str


def drawn(seed: int) -> tuple[list[type[Trait]], str]:
    """The traits of a plan and its network, by lot."""
    rng = np.random.default_rng([seed, 1])
    number = int(rng.integers(0, 3))
    traits = [INNOCENT[n] for n in sorted(rng.choice(len(INNOCENT), number, replace=False))]
    for group in (FEEDBACK, WEIGHTS):
        traits = [t for n, t in enumerate(traits) if t not in group or not set(traits[:n]) & set(group)]
    traits.sort(key=lambda trait: 0 if trait in FEEDBACK else 1 if trait in WEIGHTS else 2)
    if seed % 2:
        traits.append(GUILTY[seed // 2 % len(GUILTY)])
    layers = [
        f"{rng.integers(3, 6)} {rng.choice(['hardtanh', 'tanh'])}{' bias' * (rng.random() < 0.2)}"
        f"{' pool' * (n == 1 and rng.random() < 0.4)}"
        for n in range(int(rng.integers(2, 4)))
    ]
    return traits, ", ".join(layers)


def truth(seed: int) -> Truth:
    """What is known of a plan."""
    traits, network = drawn(seed)
    guilty = [trait.__name__ for trait in traits if trait.guilty]
    return Truth(
        seed, guilty[0] if guilty else "+".join(t.__name__ for t in traits) or "nothing", bool(guilty), network
    )


def detail(seed: int) -> str:
    """What the traits of a plan have chosen, in words: for whoever looks at a miss."""
    from neurosim.training.alone import wire

    traits = wire(f"plans:Plan{seed}", truth(seed).network, (8, 8, 3), 4).traits
    return "; ".join(f"{trait.kind} {trait.detail}".strip() for trait in traits)


def __getattr__(word: str) -> type[Base]:
    """``Plan17``: the rule of seed 17."""
    if not (found := re.fullmatch(r"Plan(\d+)", word)):
        raise AttributeError(word)
    seed = int(found[1])

    def start(self, network, loss):
        self.traits = [
            kind(np.random.default_rng([seed, 2, number]), number) for number, kind in enumerate(drawn(seed)[0])
        ]
        Base.__init__(self, network, loss)

    members = {"__init__": start, "seed": seed, "name": word, "__module__": __name__, "__qualname__": word}
    made = type(word, (Base,), members)
    globals()[word] = made
    return made
