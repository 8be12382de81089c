"""Barlow Twins (Zbontar et al. 2021): a reference that normalises over the batch and breaks condition (ii)."""

from __future__ import annotations

from collections.abc import Iterator

from neurosim.core.step import Step
from neurosim.losses.base import Loss


class BarlowTwins(Loss):
    """``1/32 (sum_i (c_ii - 1)^2 + lambda sum_{i != j} c_ij^2)``, ``c = n1^T n2 / N``, lambda 4e-3, n normalised."""

    name = "barlow"
    summary = "Barlow Twins: normalises and divides, so it is not plausible; a reference"

    def wire(self, units) -> Iterator[Step]:
        scalars = {"off_diagonal": 4e-3, "scale": 1 / 32, "epsilon": 1e-5}
        yield from self.together(units, "barlow", "e = d Barlow(z[1], z[2]) / dz", scalars)
