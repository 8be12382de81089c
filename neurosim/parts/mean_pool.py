"""Populations behind a mean over 2 x 2 places."""

from __future__ import annotations

from collections.abc import Iterator

from neurosim.core.step import Step
from neurosim.kernels import units as kernels
from neurosim.parts.population import AXES, Population


class AveragedPopulation(Population):
    """A population whose places respond first and are averaged then, four and four.

    Parameters:
        ========== ===== ============================= =======================
        name       unit  math                          default
        ========== ===== ============================= =======================
        activity   1     x = mean of phi(u)            0
        potential  1     u, (sample, window, ...)      needed until it is gated
        ========== ===== ============================= =======================
    """

    pooled = True

    def _potential_axes(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        return ("sample", "window", *AXES[1:]), (4, *self.shape)

    def respond(self) -> Iterator[Step]:
        """``x = mean over the window of phi(u)``."""
        x, u, phi = self.activity, self.potential, self.nonlinearity
        yield from self.inhibit()
        response = u.name if phi == "linear" else f"{phi}({u.name})"
        arguments, scalars = {"potential": u, "activity": x}, {"nonlinearity": phi}
        equation = f"{x.name} = mean {response}"
        yield Step(kernels.pool_mean, f"{x.owner} responds", equation, arguments, scalars=scalars, over="sample")

    def gate(self) -> Iterator[Step]:
        """``delta = phi'(u) error / 4`` at every place of the window."""
        u, d = self.potential, self.post
        learning = u.part(u.name, self.learning, self.views) if self.learning else u
        slope = self.slope.replace(self.activity.name, f"phi({u.name})")
        arguments, scalars = (
            {"potential": learning, "error": self.error, "post": d},
            {"nonlinearity": self.nonlinearity},
        )
        label, equation = f"{self.activity.owner} gates its error", f"{d.name} = {slope} . {self.error.name} / 4"
        yield Step(kernels.gate_mean, label, equation, arguments, scalars=scalars, over="sample")
        yield from self.inhibit_factor()
