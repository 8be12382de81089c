"""Positives only: the views of one image are drawn together, nothing is pushed apart. It collapses: for teaching."""

from __future__ import annotations

from collections.abc import Iterator

from neurosim.core.step import Step
from neurosim.losses.base import Loss


class Positive(Loss):
    """``1/(2N) mean_i d(z1_i, z2_i)``."""

    name = "positive"
    summary = "positives only: collapses, for teaching"

    def wire(self, units) -> Iterator[Step]:
        yield from self.together(units, "positive", "e = +sign(z[2] - z[1]) / (2 N N)", {})
