"""Averages: what a head reads of a layer where the mean over 2 x 2 places stands for the four."""

from __future__ import annotations

from collections.abc import Iterator

from neurosim.core.step import Step
from neurosim.kernels import units as kernels
from neurosim.parts.population import Population, Units


class Average(Population):
    """The mean activity of every 2 x 2 window of a population: fixed and equal connections, nothing that learns.

    Args:
        source: whose activity is averaged; its rows and columns must be even.
        mark: the source's, after the number in every name.
    """

    def __init__(self, source: Units, mark: str = ""):
        rows, columns, channels = source.shape
        shape, dtype = (rows // 2, columns // 2, channels), source.activity.dtype
        super().__init__(source.number, shape, source.views, source.learning, dtype=dtype, mark=f"{mark} mean")
        self.source = source

    @property
    def whole(self) -> Units:
        return self.source

    def over(self, units: Units) -> Average:
        return Average(units, units.activity.name.removeprefix(f"x{self.number}"))

    def gather(self) -> Iterator[Step]:
        """``a = mean over the window of x``."""
        x, a = self.source.activity, self.activity
        yield Step(
            kernels.average,
            f"{a.owner}: windows are averaged",
            f"{a.name} = mean {x.name}",
            {"activity": x, "mean": a},
            over="sample",
        )

    def spread(self) -> Iterator[Step]:
        """``e = e_a / 4`` at each place of the window."""
        mean, error = self.error, self.source.error
        yield Step(
            kernels.spread,
            f"{mean.owner}: the error is spread over the window",
            f"{error.name} = {mean.name} / 4",
            {"mean": mean, "error": error},
            over="sample",
        )

    def gate(self) -> Iterator[Step]:
        """The gate of the units that were averaged."""
        yield from self.source.gate()
