"""The mean-over-active hinge, used by the published target propagation: it divides by a count."""

from __future__ import annotations

from collections.abc import Iterator

from neurosim.core.plan import Step
from neurosim.losses.base import Delta, Loss, Threshold, margins


class HingeMean(Loss):
    """All 2N activities against each other: positive hinge plus the mean of the active negatives, mean over rows.

    Parameters: threshold and delta as for `neurosim.losses.hinge.Hinge`. Source: Tang, Yang, Amit 2022.

    Raises:
        WiringError: margins below zero.
    """

    name = "hinge-mean"
    summary = "hinge over both views, negatives averaged over the active ones: divides by a count"

    def __init__(self, threshold: Threshold = 2.0, delta: Delta = 1.0) -> None:
        self.margins = margins(threshold, delta)

    def wire(self, units) -> Iterator[Step]:
        yield from self.together(units, "hinge_mean", "e = d mean-over-active hinge(z[1], z[2]) / dz", self.margins)
