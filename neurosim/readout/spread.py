"""What several seeds say: mean and standard deviation, t intervals of differences paired by seed, Holm's correction.

Two kinds of uncertainty are kept apart. Seeds (weights, order, deformations) vary from run to run: their spread says whether a
difference would come again. The test images are the same for all runs: how far a share of so few of them may be off is a binomial
matter, and no number of seeds makes it smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 3  # seeds from which on anything is claimed
ALPHA = 0.05  # of both sides together


@dataclass(frozen=True)
class Spread:
    """A number over seeds.

    Args:
        values: one a seed.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over seeds."""
        return float(np.mean(self.values))

    @property
    def deviation(self) -> float | None:
        """The standard deviation, with n - 1; None of one seed."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else None

    def to_json(self) -> dict[str, object]:
        """As results.json has it."""
        return {"mean": self.mean, "deviation": self.deviation, "values": list(self.values)}


@dataclass(frozen=True)
class Difference(Spread):
    """A difference over seeds, of two runs of each.

    ``t = mean sqrt(n) / deviation`` has Student's distribution of ``n - 1`` degrees of freedom (Student 1908).

    Args:
        values: one a seed.
        corrected: p after a correction for several comparisons; None: there is none yet, or no p.
    """

    corrected: float | None = None

    @property
    def interval(self) -> float | None:
        """Half the width of the 95 % t interval; None of fewer than `LEAST` seeds."""
        import scipy.stats

        if len(self.values) < LEAST or self.deviation is None:
            return None
        t = scipy.stats.t.ppf(1 - ALPHA / 2, len(self.values) - 1)
        return float(t * self.deviation / np.sqrt(len(self.values)))

    @property
    def p(self) -> float | None:
        """Of the hypothesis that the difference is 0, both sides; None of fewer than `LEAST` seeds."""
        import scipy.stats

        if len(self.values) < LEAST or self.deviation is None:
            return None
        if self.deviation == 0:
            return 0.0 if self.mean else 1.0  # the same in every seed, to the last bit
        t = abs(self.mean) * len(self.values) ** 0.5 / self.deviation
        return float(2 * scipy.stats.t.sf(t, len(self.values) - 1))

    @property
    def claimed(self) -> bool:
        """Whether it is larger than the noise of seeds, after the correction."""
        return self.corrected is not None and self.corrected < ALPHA

    def to_json(self) -> dict[str, object]:
        """As results.json has it."""
        return {**super().to_json(), "interval": self.interval, "p": self.p, "p_holm": self.corrected}


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """Several differences with their p's corrected by Holm (1979): the family errs in 5 % of all cases at most.

    The k-th smallest of m p's is multiplied by ``m - k + 1``, never below the one before it, never above 1.

    Args:
        differences: all that are looked at together, as those of all layers.
    """
    known = {place: p for place, each in enumerate(differences) if (p := each.p) is not None}
    found, least = list(differences), 0.0
    for rank, place in enumerate(sorted(known, key=known.__getitem__)):
        least = min(1.0, max(least, (len(known) - rank) * known[place]))
        found[place] = Difference(found[place].values, least)
    return found
